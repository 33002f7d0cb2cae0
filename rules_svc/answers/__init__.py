"""Answers: composed from rules, or written by a hosted model and checked."""
