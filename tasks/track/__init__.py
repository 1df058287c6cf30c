"""One track from its workspace to its saved result.

Imports the run, agents, git and the sandbox.
"""
