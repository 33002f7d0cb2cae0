"""Stand-ins for the services of others, speaking their real wire formats: for tests and benchmarks."""
