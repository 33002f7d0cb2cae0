"""Places that take waste: stored, imported, found, and when they are open."""
