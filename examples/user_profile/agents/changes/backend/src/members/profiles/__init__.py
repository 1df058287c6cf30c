"""Profiles: what members say about themselves."""
