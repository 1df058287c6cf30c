"""The fields of a context that hold decisions of people."""

from __future__ import annotations

DECIDED = ("waivers", "settlements", "approvals", "deployments")
"""Fields of a context that outlive the run that wrote them."""
