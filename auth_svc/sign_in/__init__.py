"""Signing in with a provider: attempts, and the identities that come of them."""
