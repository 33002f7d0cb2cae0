"""Scan: photos on their way from a phone to an answer."""
