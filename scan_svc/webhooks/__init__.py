"""Webhooks: what is told to whom about a scan's end, and its delivery."""
