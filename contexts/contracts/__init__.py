"""API contracts: one model, read from three notations, compared by direction.

Imports text, json and errors; no document.
"""

from contexts.contracts.compare import Mismatch, Verdict, compare, compare_all, matrix
from contexts.contracts.model import Body, Code, Contract, Endpoint, Field, Problem, Schema
from contexts.contracts.openapi import read_openapi
from contexts.contracts.paths import endpoint_name, mentions, template
from contexts.contracts.python_notation import parse_fields
from contexts.contracts.read import read_contracts
from contexts.contracts.typescript import parse_typescript

__all__ = [
    "Body",
    "Code",
    "Contract",
    "Endpoint",
    "Field",
    "Mismatch",
    "Problem",
    "Schema",
    "Verdict",
    "compare",
    "compare_all",
    "endpoint_name",
    "matrix",
    "mentions",
    "parse_fields",
    "parse_typescript",
    "read_contracts",
    "read_openapi",
    "template",
]
