"""A province that does not exist: enterprises, sources, points and files for demonstrations, tests and measurements."""
