"""Clips in files: decoding, and the store of decoded frames."""
