"""Limits of points: two sets, proposals with a second person, versions, history, workbook."""
