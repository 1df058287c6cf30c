"""Rules that read sentences: what agents and imported documents say in words.

Imports the rest of the audit.
"""
