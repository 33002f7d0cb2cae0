"""What the durable queue itself costs."""
