"""Typed models of everything written as JSON or YAML."""
