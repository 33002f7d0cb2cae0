"""The embedded stack: the real servers from their wheels, and the services, supervised."""
