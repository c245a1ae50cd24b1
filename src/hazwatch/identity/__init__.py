"""Who is asking and what they may see: accounts, roles, the region tree and scope on it, sessions, tokens, audit."""
