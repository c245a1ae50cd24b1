"""Pure step functions: state and seconds in, state out."""
