"""The container image, built without Docker and without a registry, and run without either."""
