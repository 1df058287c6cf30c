"""How it is composed: the feature flow, the scheduled upkeep flows and the command line.

Imports tasks and contexts, which never import it.
"""
