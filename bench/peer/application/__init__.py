"""The peer's own programs: an API, a worker for each stage, and Character. They run in the peer's environment."""
