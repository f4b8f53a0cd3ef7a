"""Sources of clips that stand in files: what is found, before anything is decoded."""
