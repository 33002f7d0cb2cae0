"""The embedded stack and the `eco2` command line: what a newcomer runs and production doesn't need."""
