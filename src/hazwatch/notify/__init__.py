"""Messages that leave the node: who is told of which alarm, how often, and what became of it. Nothing by default."""
