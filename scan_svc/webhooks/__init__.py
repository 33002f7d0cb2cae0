"""Webhooks: messages about a scan's end, the endpoints that get them, and their delivery."""
