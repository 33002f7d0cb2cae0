"""Classifiers: hosted models and the offline one, in a chain."""
