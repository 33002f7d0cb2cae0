"""A user's scans: making them, following them, what becomes of them."""
