"""Checks of a spec: commands that give evidence, by kind."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from contexts.model.base import Closed, Identifier, Number, RelativePath

CheckKind = Literal["tests", "coverage", "performance", "security", "migrations", "contract", "command"]


class Reports(Closed):
    """Report files a check leaves in its report folder (``{reports}``), relative to it.

    Attributes:
        junit: JUnit XML.
        coverage: The JSON report of coverage.py.
    """

    junit: RelativePath | None = None
    coverage: RelativePath | None = None


class Check(Closed):
    """One command run on the integrated tree; its exit code and reports are the evidence.

    Attributes:
        id: Name of the check, for criteria and waivers.
        kind: What is measured, which decides the area of ``verification_results``.
        argv: Program and arguments; ``{python}``, ``{spec_dir}``, ``{reports}`` and ``{port}`` are replaced.
        required: Whether a failure makes the workflow fail.
        parallel: May run beside other parallel checks.
        ports: How many free loopback ports it gets in ``PLAIT_PORTS``.
    """

    id: Identifier
    kind: CheckKind = "command"
    argv: tuple[str, ...] = Field(min_length=1)
    env: dict[str, str] = {}
    reports: Reports = Reports()
    timeout_minutes: Number = Field(default=15, gt=0, le=60 * 24)
    required: bool = True
    parallel: bool = False
    ports: int = Field(default=0, ge=0, le=64)
