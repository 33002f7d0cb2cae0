"""Replies to what an answer left open."""
