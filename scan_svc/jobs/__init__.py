"""The durable queue: jobs in PostgreSQL, leased to workers."""
