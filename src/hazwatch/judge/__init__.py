"""The judge: a pure function of (state, batch) → (state, transitions). No clock, no IO, no settings."""
