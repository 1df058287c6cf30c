"""Typed models of everything written as JSON or YAML."""

from contexts.model.document import Context
from contexts.model.refs import BlobRef, ContextRef
from contexts.model.spec import Spec, Track

__all__ = ["BlobRef", "Context", "ContextRef", "Spec", "Track"]
