"""What agents wrote is text wherever Prefect shows it: no link, picture, element, heading or unseen character of theirs."""

from __future__ import annotations

import ast
import json
import logging
import unicodedata
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from contexts.documents.codec import validate
from contexts.documents.context import Context
from contexts.documents.deployment import (
    ApprovalEntry,
    DeploymentReadiness,
    PrerequisiteResult,
    ProductionReadiness,
    StagingReadiness,
)
from contexts.documents.findings import Finding
from contexts.documents.merged import Concern
from contexts.documents.records import RunRecord
from contexts.documents.refs import BlobRef, ContextRef
from contexts.documents.verification import Evidence
from contexts.store.contexts import ContextStore
from flows.feature import run_name
from flows.phases.ending import final_state
from flows.phases.gate import describe
from tasks.prefect_ui import artifacts, events
from tasks.prefect_ui.markdown import cell, words
from tasks.prefect_ui.overview import overview, track_rows
from tasks.prefect_ui.tables import publish_tables
from tasks.run.outcome import TrackOutcome
from tasks.run.progress import LOGGER, Progress, report
from tasks.run_check import state_of
from tests.servers import ROOT
from tests.tasks.report.stored import at, made_valid, new_store, put_deployed_run, put_run

HOSTILE = (
    "![seen](http://192.0.2.1/md.png)",
    "[here](javascript:alert(1)) <javascript:alert(1)> <https://evil.example/>",
    "<img src=http://192.0.2.1/x onerror=alert(1)><script>alert(1)</script><!-- -->",
    "https://evil.example/a|b`c www.evil.example/x someone@evil.example mailto:someone@evil.example ftp://evil.example",
    "# heading\n\n## another\nunderlined\n===\n---\n\n    code\n```\nfenced\n```\n> quote\n- list\n1. one",
    "| a | b |\n| --- | --- |\n| <b>c</b> | \\| `d|e` \\`f` |",
    "\x1b[31mred\x1b]8;;http://evil.example\x07x\x07\x00\x08\x85\u202egnp.exe\u2066\u200b\u2028\ufeff",
    "**bold** __under__ ~~gone~~ &lt;b&gt; &#x1b; $x$ :smile: \\",
    "[ref]: http://evil.example/ 'x'\n[ref] ![ref][ref] [^1]",
    "+ plus", "- minus", "1. first", "1) first", "=== ", "--- ", "    indented", "\\", "`", "``x", "a\\`https://x.example\\",
)  # fmt: skip
OF_PLAIT = {"paragraph_open", "paragraph_close", "inline", "text", "softbreak", "text_special", "code_inline"}
SHAPE = OF_PLAIT | {
    "heading_open", "heading_close", "bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close", "table_open",
    "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open",
    "td_close", "strong_open", "strong_close",
}  # fmt: skip
"""What pages of plait are made of; nothing of it leads anywhere or loads anything."""


def tokens(markdown: str) -> Iterator[Token]:
    """Read Markdown as a browser would be given it, raw HTML and all."""
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(markdown):
        yield token
        yield from token.children or ()


def seen(markdown: str) -> str:
    return "".join(token.content for token in tokens(markdown) if token.type in {"text", "code_inline", "text_special"})


def linkable(markdown: str) -> list[str]:
    """Return the texts, outside of code, of which some reader makes a link by itself, after backslashes are gone."""
    joined: list[str] = [""]
    for token in tokens(markdown):
        if token.type in {"text", "text_special"}:
            joined[-1] += token.content
        else:
            joined.append("")
    signs = ("//", "www.", "mailto:", "evil.example")
    return [text for text in joined if any(sign in text for sign in signs)]


def unseen(text: str) -> list[str]:
    return [
        f"U+{ord(one):04X}"
        for one in text
        if unicodedata.category(one) in {"Cc", "Cs"} or one in "\u202e\u2066\u200b\u2028\ufeff"
    ]


def check_cell(markdown: str) -> None:
    """Make sure that Markdown is one paragraph of text and code."""
    assert {token.type for token in tokens(markdown)} <= OF_PLAIT, markdown
    assert linkable(markdown) == []
    assert unseen(markdown) == []


@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from([*"`|\\*_[]()<>!#&~-+=:.@/ \n\t1a", "://", "www.", "http"])).map("".join)
    )
)
@example("a`b|c")
def test_a_cell_renders_as_the_words_it_was_made_of(text: str) -> None:
    made = cell(text, 10_000)
    assert seen(made) == words(text, 10_000)
    check_cell(made)
    assert cell(made) == made


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_of_a_markdown_table_stays_one_cell(text: str) -> None:
    table = f"| one | two |\n| --- | --- |\n| {cell(text)} | after |"
    found = list(tokens(table))
    assert [token.type for token in found].count("td_open") == 2
    assert {token.type for token in found} <= SHAPE
    assert linkable(table) == []
    assert seen(table) == "onetwo" + words(text, 300).replace("…", "…") + "after"


def poisoned(value: Any, text: str, kept: Callable[[str, Any], bool], name: str = "") -> Any:
    """Return a JSON value with the text in place of every string that nothing but people reads."""
    if isinstance(value, str):
        return value if kept(name, value) else text
    if isinstance(value, list):
        return [poisoned(one, text, kept, name) for one in value]
    if isinstance(value, dict):
        return {key: poisoned(one, text, kept, key) for key, one in value.items()}
    return value


def at_gate(text: str) -> tuple[Context, ProductionReadiness]:
    """Return a context that waits at a gate, with the text wherever it takes any."""
    ticks = PrerequisiteResult(id=text, text=text, status="pending", manual=True, reason=text, by=text)
    production = ProductionReadiness(gate=text, subject=text, status=text, prerequisites=[ticks])
    staging = StagingReadiness(status=text, validation=text)
    context = Context(
        version="1.0",
        workflow_id=text,
        timestamp=at(0),
        current_agent=text,
        phase=text,
        run=RunRecord(status=text, reasons=[text]),
        deployment_readiness=DeploymentReadiness(staging=staging, production=production),
    )
    return context, production


def needed(name: str, value: str) -> bool:
    """Say whether plait itself would refuse another value: a time, an id, a reference."""
    return (
        name in {"version", "workflow_id", "task_id", "document", "sha256", "media_type"}
        or name.endswith("_at")
        or value == at(0)
    )


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> ContextStore:
    return new_store(tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="module")
def documents(stored: ContextStore) -> list[tuple[ContextRef, dict[str, Any]]]:
    """Documents that together have everything an artifact shows."""
    refs = (put_run(stored), put_deployed_run(stored))
    return [(ref, {"context_summary": "Done", **stored.load(ref)}) for ref in refs]


class Shown:
    """What was handed to Prefect's own functions."""

    def __init__(self) -> None:
        self.pages: list[str] = []
        self.cells: list[str] = []
        self.links: list[str] = []

    def take(self, **given: Any) -> str:
        self.cells.append(str(given.get("description", "")))
        if "markdown" in given:
            self.pages.append(given["markdown"])
        if "link" in given:
            # As Prefect writes it.
            self.links.append(f"[{given['link_text']}]({given['link']})")
        for row in given.get("table", ()):
            self.cells += [value for value in row.values() if isinstance(value, str)]
            json.dumps(row)
        return "an-id"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Shown:
    made = Shown()
    for name in ("markdown", "table", "link", "image"):
        monkeypatch.setattr(f"prefect.artifacts.create_{name}_artifact", made.take)
    monkeypatch.setattr("prefect.artifacts.create_progress_artifact", lambda _, **given: made.take(**given))
    return made


def calls() -> dict[str, set[str]]:
    """Return the callers of everything that makes or changes an artifact, by module."""
    found: dict[str, set[str]] = {}
    for folder in ("contexts", "tasks", "flows"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                artifact = "artifact" in called.lower() and called != "artifact_key"
                if artifact or called.endswith("Artifact"):
                    found.setdefault(str(file.relative_to(ROOT)), set()).add(called)
    return found


def test_every_artifact_goes_through_one_door() -> None:
    door = "tasks/prefect_ui/artifacts.py"
    assert set(calls()) == {door}
    public = {
        name for name, value in vars(artifacts).items() if callable(value) and value.__module__ == artifacts.__name__
    }
    assert public == {
        "publish_markdown", "publish_table", "publish_link", "publish_image", "publish_progress", "update_progress",
    }  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_the_door_makes_text_of_whatever_it_is_given(shown: Shown, text: str) -> None:
    artifacts.publish_table("k", [{"a": text, "b": 1.5, "c": None, "d": [text], "e": {"f": text}, "g": True}], text)
    artifacts.publish_link("k", f"s3://bucket/{text}", text, text)
    artifacts.publish_image("k", "data:image/svg+xml;base64,", text)
    artifacts.publish_progress("k", 50.0, text)
    artifacts.publish_markdown("k", f"# Plait\n\n{cell(text)}", text)
    for each in shown.cells:
        check_cell(each)
    (link,) = shown.links
    assert [token.type for token in tokens(link)].count("link_open") == 1
    assert {token.type for token in tokens(link)} <= OF_PLAIT | {"link_open", "link_close"}
    assert linkable(shown.pages[0]) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_words_in_every_field_are_text_in_every_artifact(
    stored: ContextStore, documents: list[tuple[ContextRef, dict[str, Any]]], shown: Shown, text: str
) -> None:
    for ref, document in documents:
        hostile = poisoned(document, text, needed)
        hostile["run"]["branch"] = text
        hostile["run"]["reasons"] = [text]
        hostile["run"]["tracks"] = [
            {"reason": text, **one} if "ref" in one else {**one, "reason": text, "ref": None}
            for one in document["run"]["tracks"]
        ]
        hostile["run"]["phases"] = [{"name": text, "started_at": at(0), "completed_at": at(3)}]
        hostile["pending_actions"] = [text, {"action": text}]
        hostile["integration_concerns"] = [{"concern": text}]
        context = validate(made_valid(hostile, document))
        shown.pages.append(overview(context, [(text, ref)]))
        rows = track_rows(context)
        artifacts.publish_table("tracks", rows, "Tracks")
        publish_tables(stored, ref, context, SimpleNamespace(add=lambda _name, send: send()))
        shown.pages.append(describe(*at_gate(text)))
        shown.cells += [value for each in rows for value in each.values() if isinstance(value, str)]
    for page in shown.pages:
        assert {token.type for token in tokens(page)} <= SHAPE
        assert linkable(page) == []
        assert unseen(page.replace("\n", "")) == []
    for each in shown.cells:
        check_cell(each)
    for link in shown.links:
        assert {token.type for token in tokens(link)} <= OF_PLAIT | {"link_open", "link_close"}


def test_headings_are_plaits_own_whatever_the_document_says(
    documents: list[tuple[ContextRef, dict[str, Any]]],
) -> None:
    (ref, document), *_ = documents
    usual = overview(validate(document), [("merge", ref)])
    hostile = poisoned(document, HOSTILE[4], lambda name, value: needed(name, value) or name in {"status", "name"})
    hostile = overview(validate(made_valid(hostile, document)), [])
    count = [token.type for token in tokens(usual)].count("heading_open")
    assert [token.type for token in tokens(hostile)].count("heading_open") <= count


@pytest.mark.parametrize("text", HOSTILE)
def test_events_hold_nothing_unseen(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr("tasks.prefect_ui.events.emit_event", lambda _, **given: sent.append(given))
    events.track_ended("w", TrackOutcome("t", "failed", None, reason=text))
    events.concerns_found("w", [Concern(kind=text, concern=text, tracks=[text], files=[text])])
    events.verification_failed("w", text, [text], [Finding(rule=text, severity="blocking", message=text)])
    events.approval_requested("w", at_gate(text)[1], [text])
    answer = ApprovalEntry(
        gate=text, subject=text, decision="approved", by=text, note=text, timestamp=at(0), ticked=[text]
    )
    events.approval_given("w", answer)
    assert len(sent) == 5
    assert unseen(json.dumps(sent, ensure_ascii=False)) == []


@pytest.mark.parametrize("text", HOSTILE)
def test_states_names_and_lines_of_the_log_hold_nothing_unseen(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    blob = BlobRef(sha256="0" * 64, size=1, media_type="text/plain")
    final = ContextRef(workflow_id="w", document="context", revision=1, sha256="0" * 64, size=1)
    failed = Evidence(check="unit", kind="tests", status="failed", argv=["x"], seconds=1, reason=text)
    said = [state_of(failed, blob).message]
    for code, reasons in ((0, []), (1, [text])):
        record = RunRecord(reasons=reasons, exit_code=code, status="verified")
        context = at_gate(text)[0].changed(run=record, context_summary=text)
        run: Any = SimpleNamespace(store=SimpleNamespace(load_context=lambda _, context=context: context))
        said.append(final_state(run, final).message)
    monkeypatch.setattr("flows.feature.flow_run", SimpleNamespace(parameters={"spec": f"specs/{text}.yaml"}))
    said.append(run_name())
    with caplog.at_level(logging.DEBUG, LOGGER):
        report(Progress("w", "line", text, "running", text))
    said += [line for record in caplog.records for line in record.getMessage().split("\n")]
    assert all(unseen(str(each).replace("\t", "")) == [] for each in said)
