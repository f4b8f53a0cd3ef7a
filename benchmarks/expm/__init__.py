"""The matrix exponential: accuracy, speed and memory."""
