"""What a training step costs, alone and shared."""
