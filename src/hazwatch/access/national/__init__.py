"""The national JSON gateway: sealed envelope, message, and the two doors HTTPS and TCP ``@@``."""
