"""Completeness of monitoring: the points that tanks, warehouses and the 18 hazardous processes are expected to have."""
