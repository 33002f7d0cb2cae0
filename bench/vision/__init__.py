"""What Vision gets right, and what it costs."""
