"""Scans that a client job has made, and that its user isn't shown one by one."""
