"""The plan of a run: the graph of its tracks, their groups, what they may fight over, estimates and advice.

Imports spec, documents and what is below them; no lease.
"""

from contexts.plan.graph import topological_order, transitive_needs, waves
from contexts.plan.groups import GroupNode, groups_of
from contexts.plan.overlaps import Overlap, overlaps
from contexts.plan.plan import Advice, Estimate, Plan, PlannedTrack, make_plan

__all__ = [
    "Advice",
    "Estimate",
    "GroupNode",
    "Overlap",
    "Plan",
    "PlannedTrack",
    "groups_of",
    "make_plan",
    "overlaps",
    "topological_order",
    "transitive_needs",
    "waves",
]
