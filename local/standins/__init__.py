"""Stand-ins for outside services, with their wire formats: for tests, benchmarks and stacks on one's own machine."""
