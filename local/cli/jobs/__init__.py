"""Jobs that take longer than a call."""
