"""A park in the box: real physics, real protocols, no real plant. Everything it makes is marked 模拟."""
