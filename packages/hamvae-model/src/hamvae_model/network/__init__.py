"""The network: tensors in, tensors out. Who has read this folder knows the model."""
