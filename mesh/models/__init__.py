"""Hosted models, as Vision and Rules call them: one client, one budget, one price table."""
