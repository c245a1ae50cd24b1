"""Lists of a province: enterprises, sources, points, parks, chemicals, validities; paged, sorted and exported."""
