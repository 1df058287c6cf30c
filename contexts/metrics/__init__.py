"""Numbers about a run, each with value, unit, formula and inputs; and the tables of a report made of them.

Imports plan, documents and what is below them.
"""

from contexts.metrics.formulas import compute
from contexts.metrics.records import Absent, Metric, Metrics, PhaseTimes, TrackCoverage, TrackTimes

__all__ = ["Absent", "Metric", "Metrics", "PhaseTimes", "TrackCoverage", "TrackTimes", "compute"]
