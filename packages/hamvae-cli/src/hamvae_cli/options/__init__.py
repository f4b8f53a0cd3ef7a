"""Options that several commands share, and one way to hand a group of them to a command as one argument."""
