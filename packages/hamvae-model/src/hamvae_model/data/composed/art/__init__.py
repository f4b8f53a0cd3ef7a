"""The drawn characters: a skeleton that moves, a brush, and one file for each layer painted on it."""
