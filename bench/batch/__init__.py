"""A batch of many rows beside people who wait."""
