"""Flows: speed, and how far they drift."""
