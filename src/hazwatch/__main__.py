"""``python -m hazwatch`` is ``hazwatch``."""

from hazwatch.cli import main

main()
