"""Sources of characters that are composed of layers."""
