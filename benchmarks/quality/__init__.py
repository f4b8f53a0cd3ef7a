"""What a model is worth: presets, operators, ablations, judges, your own clips."""
