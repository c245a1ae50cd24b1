"""Chemical safety knowledge base 化学品安全知识库: substances, reactivity, accidents; facts with sources."""
