"""One module per protocol: they say over the wire what the world measures, and nothing else."""
