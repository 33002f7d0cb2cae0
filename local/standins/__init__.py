"""Stand-ins for outside services, with their wire formats: for tests and benchmarks."""
