"""Reminders: what was scanned, in people's evenings."""
