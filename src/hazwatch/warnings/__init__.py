"""Early warnings: which grades make them, who gets them, what became of them; weather warnings from outside."""
