"""Measuring a whole node: a synthetic nation, a generator that speaks the real protocols, and who counts.

Nothing here runs in a node. ``hazwatch bench stream`` starts a node of its own in a folder of its own.
"""
