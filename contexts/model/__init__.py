"""Typed models of everything written as JSON or YAML. Each is imported by name: a command loads what it needs."""
