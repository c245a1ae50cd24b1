"""Dynamic risk: the HW-1 score and its colours. The model is pure; numbers are ours, versioned, and shown."""
