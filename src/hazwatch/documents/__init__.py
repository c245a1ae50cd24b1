"""Papers that people sign, file or hang up: PDF with the Chinese font inside (docs/decisions/0010)."""
