"""The rule book's files, read, checked and replaced while the service runs."""
