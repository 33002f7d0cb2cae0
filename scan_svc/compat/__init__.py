"""Scans in the shapes of older clients, `eco2.compat.v1`: what is asked and shown; everything else is Scan's own."""
