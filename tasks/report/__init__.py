"""The report of a run: one HTML file that says everything, needs nothing, and trusts no string in it.

Data goes one way: store -> `gather` -> `ReportData` -> templates. Everything that leaves a template passes `shown`.

Imports contexts alone; no Prefect.
"""

from tasks.report.build import build_report
from tasks.report.data import ReportData
from tasks.report.gather import gather
from tasks.report.render import render_report, timeline_data_uri, timeline_svg

__all__ = ["ReportData", "build_report", "gather", "render_report", "timeline_data_uri", "timeline_svg"]
