"""Clips that were decoded once and are read from the disk ever after."""
