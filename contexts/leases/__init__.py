"""One run at a time owns a workflow: its lease, the holding of it, and what was interrupted.

Imports the store.
"""
