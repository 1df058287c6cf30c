"""One run of a workflow: what every phase needs at hand, opened once and closed with a reason.

Imports agents, checks, git and the sandbox.
"""
