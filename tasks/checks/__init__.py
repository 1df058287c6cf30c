"""Evidence: what a spec's checks find out by running on the integrated tree, and what their reports say."""
