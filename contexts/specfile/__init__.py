"""Spec files, YAML or JSON: read within limits, checked, and every problem told with its line and column."""

from contexts.specfile.load import (
    LoadedSpec,
    check_agents,
    expand_workflow_id,
    load_spec,
    parse_spec,
    programs_of,
    resolve_argv,
)

__all__ = [
    "LoadedSpec",
    "check_agents",
    "expand_workflow_id",
    "load_spec",
    "parse_spec",
    "programs_of",
    "resolve_argv",
]
