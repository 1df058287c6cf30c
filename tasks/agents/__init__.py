"""The programs that do a track: one Protocol, one module per backend.

Imports the sandbox and contexts; no Prefect, and no check.
"""
