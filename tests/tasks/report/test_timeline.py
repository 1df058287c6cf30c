"""The timeline of a run, from its recorded times."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import pytest

from contexts.documents.codec import validate
from contexts.documents.context import Context
from contexts.documents.refs import ContextRef
from contexts.store.contexts import ContextStore
from tasks.report import timeline_data_uri, timeline_svg
from tasks.report.data import Timeline
from tasks.report.drawing import NARROW, WIDE, draw_timeline
from tasks.report.timeline import SHOWN_OF_MANY, build_timeline
from tests.tasks.report.stored import HOSTILE, at, context, new_store, put_run, put_wide_run

Loaded = tuple[dict[str, Any], list[dict[str, Any]]]


def _loaded(store: ContextStore, final: ContextRef) -> Loaded:
    document = store.load(final)
    refs = [ContextRef(**one["ref"]) for one in document["run"]["tracks"] if "ref" in one]
    return document, store.load_many(refs)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    store = new_store(tmp_path_factory.mktemp("usual"))
    return orjson.dumps(_loaded(store, put_run(store)))


@pytest.fixture
def run(saved: bytes) -> Loaded:
    """The usual run's document and its tracks', for each test to change as it likes."""
    document, tracks = orjson.loads(saved)
    return document, tracks


@pytest.fixture
def usual(run: Loaded) -> Timeline:
    return build_timeline(*_typed(run), merged_at=at(34))


def _typed(run: Loaded) -> tuple[Context, list[Context]]:
    document, tracks = run
    return validate(document), [validate(one) for one in tracks]


def _row(timeline: Timeline, name: str):
    return next(row for row in timeline.tracks.shown if row.name == name)


def test_the_critical_path_ends_with_the_last_track_and_goes_back_over_what_it_needed(usual: Timeline):
    assert usual.critical == ("backend", "frontend")
    assert [row.critical for row in usual.tracks.shown] == [True, True, False, False]


def test_a_track_that_could_have_started_earlier_is_shown_waiting(usual: Timeline):
    first, second = _row(usual, "frontend").spans
    assert (first.kind, first.start, first.end) == ("waiting", 11, 13)
    assert (second.kind, second.start, second.end) == ("work", 13, 33)


def test_every_attempt_is_shown_with_the_wait_between(usual: Timeline):
    kinds = [(span.kind, span.start, span.end) for span in _row(usual, "mail").spans]
    assert kinds == [("failed", 1, 3), ("waiting", 3, 5), ("failed", 5, 8)]


def test_a_blocked_track_is_blocked_from_the_failure_on(usual: Timeline):
    (span,) = _row(usual, "news").spans
    assert (span.kind, span.start) == ("blocked", 8)


def test_phases_follow_one_another_over_the_whole_run(usual: Timeline):
    names = [row.name for row in usual.phases]
    bounds = [(span.start, span.end) for row in usual.phases for span in row.spans]
    assert names == ["initialize", "tracks", "merge", "verify"]
    assert bounds == [(0, 1), (1, 33), (33, 34), (34, 41)]


def test_recorded_phases_are_taken_as_they_are(run: Loaded):
    document, _ = run
    document["run"]["phases"] = [{"name": "verify", "started_at": at(36), "completed_at": at(40)}]
    (row,) = build_timeline(*_typed(run)).phases
    assert (row.name, row.spans[0].start, row.spans[0].end) == ("verify", 36, 40)


def test_a_reused_track_has_no_bar(run: Loaded):
    document, _ = run
    document["run"]["tracks"][0]["reused"] = True
    row = _row(build_timeline(*_typed(run)), "backend")
    assert row.spans == ()
    assert "reused" in row.note


def test_tracks_that_were_played_back_are_shown_when_they_were_recorded(run: Loaded):
    document, _ = run
    done = document["run"]["tracks"][:2]
    done[0] |= {"recorded": True, "started_at": "2025-01-15T09:05:00Z", "completed_at": "2025-01-15T10:05:00Z"}
    done[1] |= {
        "recorded": True,
        "reused": True,
        "started_at": "2025-01-15T09:05:00Z",
        "completed_at": "2025-01-15T09:50:00Z",
    }
    document["run"]["tracks"] = done
    timeline = build_timeline(*_typed(run))
    assert timeline.played_back
    assert [row.worked for row in timeline.tracks.shown] == [3600, 2700]
    assert timeline.critical == ("backend",)
    assert timeline.phases == ()


def test_an_attempt_of_an_earlier_run_is_not_on_this_runs_axis(run: Loaded):
    document, _ = run
    document["run"]["started_at"] = at(4)
    row = _row(build_timeline(*_typed(run)), "mail")
    assert [span.kind for span in row.spans] == ["failed"]


def test_without_any_recorded_time_the_axis_has_no_length():
    timeline = build_timeline(context(parallel_tasks=[{"task_id": "one"}]), [])
    assert timeline.seconds == 0


def test_an_end_before_the_start_gives_no_negative_bar(run: Loaded):
    document, _ = run
    document["run"]["completed_at"] = at(-50)
    timeline = build_timeline(*_typed(run))
    rows = (*timeline.phases, *timeline.tracks.shown, *timeline.checks.shown)
    assert all(span.end >= span.start >= 0 for row in rows for span in row.spans)


@pytest.mark.parametrize("frame", [WIDE, NARROW], ids=lambda frame: frame.name)
def test_nothing_is_drawn_outside_the_picture(usual: Timeline, frame: Any):
    picture = draw_timeline(usual, frame)
    assert all(bar.x >= 0 and bar.x + bar.width <= picture.width for bar in picture.bars)
    assert all(bar.y >= 0 and bar.y + bar.height <= picture.height for bar in picture.bars)
    assert all(0 <= word.x <= picture.width and 0 <= word.y <= picture.height for word in picture.words)


def test_of_many_tracks_the_critical_failed_and_longest_get_rows_and_all_are_counted(tmp_path: Path):
    store = new_store(tmp_path)
    timeline = build_timeline(*_typed(_loaded(store, put_wide_run(store, 120))))
    names = [row.name for row in timeline.tracks.shown]
    assert timeline.tracks.total == 120
    assert len(names) == SHOWN_OF_MANY
    assert "track-99" in names
    assert set(timeline.critical) <= set(names)
    assert max(count for _, count in timeline.running) == 10
    assert draw_timeline(timeline, NARROW).area.endswith("Z")


def test_the_image_stands_alone_and_is_wellformed_whatever_names_hold(run: Loaded):
    document, _ = run
    document["run"]["tracks"][3]["task_id"] = HOSTILE
    document["evidence"][0]["check"] = HOSTILE
    svg = timeline_svg(*_typed(run))
    tags = {one.tag.rpartition("}")[2] for one in ET.fromstring(svg).iter()}
    assert tags == {"svg", "style", "rect", "line", "text", "defs", "pattern", "title"}
    assert "http://" not in svg.replace('xmlns="http://www.w3.org/2000/svg"', "").replace("src=http://192.0.2.1", "")
    uri = timeline_data_uri(*_typed(run))
    assert base64.b64decode(uri.removeprefix("data:image/svg+xml;base64,")).decode() == svg
