"""How it is composed: the feature flow, the scheduled upkeep flows and the command line."""
