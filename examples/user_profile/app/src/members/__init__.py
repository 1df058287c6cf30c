"""A small account service."""
