"""Evidence: the commands a spec names, run on the integrated tree, and what their reports say."""
