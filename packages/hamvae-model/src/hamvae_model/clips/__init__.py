"""Clips in memory: their frames, their size, their transparency and their times."""
