"""A trained model with clips in and clips out."""
