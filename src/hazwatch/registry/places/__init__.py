"""Coordinates, boundaries, and who lives around a site."""
