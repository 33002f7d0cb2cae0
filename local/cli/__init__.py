"""The `eco2` command line."""
