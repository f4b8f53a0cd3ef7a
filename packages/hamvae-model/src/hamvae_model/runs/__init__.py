"""A run folder: what is written, how it is written whole, and how it is read back."""
