"""The spec: its model, and reading one from YAML or JSON within limits; every problem told with its line and column.

Imports documents. Nothing is exported here, so that a model alone loads no parser.
"""
