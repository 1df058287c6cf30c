"""Turn a report's data into HTML and SVG. Every value passes `shown` on its way out of a template."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from contexts.documents.context import Context
from contexts.text.amounts import duration, size
from contexts.text.ellipsis import brief
from contexts.text.visible import show_invisible
from tasks.report.data import ReportData
from tasks.report.drawing import NARROW, WIDE, draw_sizes, draw_timeline
from tasks.report.rulings import waived_badge
from tasks.report.text import moment, noun, plain, sentence
from tasks.report.timeline import build_timeline

_FEW = 25
"""Items of a list shown at once; the others open on demand."""


def shown(value: object) -> Markup:
    """Return a value as a template may print it: markup as it is, anything else visible, bounded and escaped."""
    return value if isinstance(value, Markup) else escape(plain(value))


def _whole(text: str) -> Markup:
    return escape(show_invisible(text))


def _pixels(value: float) -> str:
    return f"{value:.1f}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tasks.report"),
        autoescape=True,
        finalize=shown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., object]] = {
        "brief": brief,
        "bytes": size,
        "duration": duration,
        "moment": moment,
        "noun": noun,
        "pixels": _pixels,
        "sentence": sentence,
        "waived": waived_badge,
        "whole": _whole,
    }
    environment.filters.update(filters)
    return environment


@cache
def _style(*names: str) -> str:
    folder = resources.files("tasks.report") / "templates"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _policy(style: str) -> str:
    """Return the content security policy: this one style, and nothing else, not even an image."""
    proof = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{proof}'; base-uri 'none'; form-action 'none'"


def render_report(data: ReportData) -> str:
    """Return the report as one HTML file without scripts, requests or inline styles."""
    style = _style("picture.css", "report.css")
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            data=data,
            few=_FEW,
            policy=_policy(style),
            style=Markup(style),  # noqa: S704 our own file
            timelines=[draw_timeline(data.timeline, frame) for frame in (WIDE, NARROW)],
            sizes=[draw_sizes(data.sizes.shown, frame) for frame in (WIDE, NARROW)],
            anchors={row.task_id: place for place, row in enumerate(data.tracks.shown, 1)},
            checks={row.check: place for place, row in enumerate(data.evidence.shown, 1)},
        )
    )


def timeline_svg(context: Context, tracks: Iterable[Context]) -> str:
    """Return a run's timeline as an SVG image that stands alone.

    Args:
        context: The final context.
        tracks: Documents of its tracks, those there are.
    """
    picture = draw_timeline(build_timeline(context, tracks), WIDE)
    template = _environment().get_template("timeline.svg.j2")
    return template.render(picture=picture, style=Markup(_style("picture.css")))  # noqa: S704 our own file


def timeline_data_uri(context: Context, tracks: Iterable[Context]) -> str:
    """Return the timeline as a data URI, the form an image artifact takes."""
    return "data:image/svg+xml;base64," + base64.b64encode(timeline_svg(context, tracks).encode()).decode()
