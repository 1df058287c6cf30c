"""Typed models of everything plait and agents write, and the way between them and bytes.

Imports identifiers and redaction. Each model is imported by name: a command loads what it needs.
"""
