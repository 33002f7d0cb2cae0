"""Progress: versioned snapshots in Redis, and everybody who watches them."""
