"""The embedded stack and the `eco2` command line: everything a newcomer runs, nothing production needs."""
