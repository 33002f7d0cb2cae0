"""Object storage: one bucket's objects, addresses for uploads, and the command that makes the bucket ready."""
