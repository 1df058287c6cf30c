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
from contexts.specfile.programs import NOTHING_KNOWN, Command, Known, Programs, check_commands, remember, setup_commands

__all__ = [
    "NOTHING_KNOWN",
    "Command",
    "Known",
    "LoadedSpec",
    "Programs",
    "check_agents",
    "check_commands",
    "expand_workflow_id",
    "load_spec",
    "parse_spec",
    "programs_of",
    "remember",
    "resolve_argv",
    "setup_commands",
]
