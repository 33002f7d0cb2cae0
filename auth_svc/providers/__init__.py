"""Providers that people sign in with: what is known of each, and how it is asked."""
