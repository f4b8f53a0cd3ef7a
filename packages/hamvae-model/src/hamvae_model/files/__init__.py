"""Reading and writing files: within limits, whole or not at all, and never as code."""
