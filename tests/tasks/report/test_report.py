"""The report of a run as a file."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import pytest

from contexts.documents.refs import ContextRef
from contexts.errors import NotFound
from contexts.store.contexts import ContextStore
from tasks.report import build_report, gather
from tests.tasks.report.page import Page
from tests.tasks.report.stored import HOSTILE, KEPT, new_store, put_poisoned_run, put_run, put_wide_run

SECTIONS = (
    "summary", "timeline", "tracks", "decisions", "actions", "concerns", "contracts", "findings", "criteria", "evidence",
    "sizes",
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> ContextStore:
    return new_store(tmp_path)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    store = new_store(tmp_path_factory.mktemp("usual"))
    return Page(build_report(store, put_run(store)).decode())


def test_it_has_every_section_and_closes_every_element(page: Page):
    assert [attributes["id"] for tag, attributes in page.elements if tag == "section"] == list(SECTIONS)
    assert page.open == []


def test_the_summary_says_the_status_in_words_and_why(page: Page):
    assert "Partial" in page.said("")
    assert "Required track mail failed" in page.said("summary")
    assert "2 of 4" in page.said("summary")


def test_every_decision_says_where_it_came_from(page: Page):
    text = page.said("decisions")
    assert "Keep it small" in text
    assert "backend#/decisions/0" in text
    assert "colour: blue" in text
    assert "It is calm" in text


def test_a_deduplicated_action_names_all_its_sources(page: Page):
    assert "backend#/pending_actions/0" in page.said("actions")
    assert "frontend#/pending_actions/3" in page.said("actions")


def test_a_number_says_how_it_was_computed(page: Page):
    assert "Speedup 1.09x" in page.said("timeline").replace("Speedup1.09x", "Speedup 1.09x")
    assert "Speedup: ran_sum / tracks_wall" in page.said("timeline")


def test_a_contract_is_compared_by_consumer_and_provider(store: ContextStore):
    document = store.load(put_run(store))
    sides = {
        "backend": {"endpoints": {"GET /api/things": {"response": "{ id: string }"}}},
        "frontend": {"api_contract_assumptions": {"GET /api/things": {"response": "{ id: string, price: number }"}}},
    }
    for one in document["run"]["tracks"][:2]:
        track = {**store.load(ContextRef(**one["ref"])), **sides[one["task_id"]]}
        one["ref"] = store.save(track, workflow_id="shop", name=one["ref"]["document"], after=1).model_dump()
    final = store.save(document, workflow_id="shop", name="context", after=3)
    (pair,) = gather(store, final).contracts.pairs.shown
    assert (pair.consumer, pair.provider) == ("frontend", "backend")
    text = Page(build_report(store, final).decode()).said("contracts")
    assert "GET /api/things" in text
    assert "Mismatch" in text
    assert "price" in text


def test_without_contracts_the_matrix_says_so(page: Page):
    assert "No track states an API contract." in page.said("contracts")


def test_a_finding_shows_both_quotes_and_blocking_ones_come_first(page: Page):
    text = page.said("findings")
    assert "reads total" in text
    assert "sends sum" in text
    assert text.index("contract/field") < text.index("note/first")


def test_a_concern_names_its_tracks_files_and_both_choices(page: Page):
    text = page.said("concerns")
    assert all(
        one in text for one in ("contradicting decisions", "src/page.css", "red it shall be", "blue it shall be")
    )


def test_a_criterion_that_is_not_met_comes_before_one_that_is(page: Page):
    assert page.said("criteria").index("It is fast") < page.said("criteria").index("It sells")


def test_evidence_has_the_beginning_and_the_end_of_its_log_and_the_way_to_all_of_it(store: ContextStore):
    final = put_run(store)
    text = Page(build_report(store, final).decode()).said("evidence")
    log = store.load(final)["evidence"][0]["log"]
    assert "line 0 line 1 " in text
    assert "line 19999" in text
    assert "line 10000" not in text
    assert f"blob {log['sha256']} of plait show shop --full" in text
    assert "11 of 12 passed, 1 failed" in text
    assert "91.25 %" in text


def test_a_failed_track_has_its_last_log(page: Page):
    assert "log of mail, attempt 2" in page.said("tracks")
    assert "log of backend" not in page.said("tracks")


def test_a_track_whose_branch_was_left_out_is_not_called_completed(store: ContextStore):
    document = store.load(put_run(store))
    document["run"]["left_out"] = ["backend"]
    final = store.save(document, workflow_id="shop", name="context", after=3)
    row = gather(store, final).tracks.shown[0]
    assert row.status.word == "left out"
    assert "conflicts" in row.reason


def test_context_sizes_go_through_the_phases_of_this_run(store: ContextStore):
    final = put_run(store)
    sizes = gather(store, final).sizes.shown
    assert [one.name for one in sizes] == ["initial", "backend", "frontend", "mail", "merged", "final"]
    assert sizes[-1].size == final.size


def test_a_log_that_is_gone_is_said_and_the_report_is_made(store: ContextStore):
    final = put_run(store)
    sha256 = store.load(final)["evidence"][0]["log"]["sha256"]
    store.objects.delete(f"blobs/shop/{sha256}")
    assert "The log could not be read" in Page(build_report(store, final).decode()).said("evidence")


def test_a_track_document_that_is_gone_is_an_error(store: ContextStore):
    final = put_run(store)
    store.objects.delete("documents/shop/tracks/mail/000001.json")
    with pytest.raises(NotFound):
        build_report(store, final)


def test_an_unfinished_document_gives_a_report_of_what_is_known(store: ContextStore):
    head = {"version": "1.0", "workflow_id": "new", "timestamp": "2026-01-01T00:00:00Z", "current_agent": "o"}
    final = store.save({**head, "phase": "parallel-execution"}, workflow_id="new", name="context", after=0)
    text = Page(build_report(store, final).decode())
    assert "No times were recorded" in text.said("timeline")
    assert "The workflow has no tracks" in text.said("tracks")


def test_the_policy_allows_its_own_style_and_nothing_else(store: ContextStore):
    html = build_report(store, put_run(store)).decode()
    style = re.search(r"<style>(.*?)</style>", html, re.DOTALL)
    assert style
    proof = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    policies = [
        one["content"] for tag, one in Page(html).elements if one.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policies == [f"default-src 'none'; style-src 'sha256-{proof}'; base-uri 'none'; form-action 'none'"]


def test_a_hostile_text_in_every_field_becomes_text_and_no_element(store: ContextStore):
    html = build_report(store, put_poisoned_run(store)).decode()
    hostile = Page(html)
    usual = Page(build_report(store, ContextRef(**_usual(store))).decode())
    assert {tag for tag, _ in hostile.elements} <= {tag for tag, _ in usual.elements}
    assert {name for _, one in hostile.elements for name in one} <= {name for _, one in usual.elements for name in one}
    for section in SECTIONS:
        if section not in {"timeline", "sizes", "contracts", "tracks"}:
            assert "<script>alert('x')</script>" in hostile.said(section), section
    assert not {"\u202e", "\u202c", "\u200b", "\x1b"} & set(html)
    assert "{{ 7*7 }}" in html
    assert "49" not in hostile.said("decisions")


def _usual(store: ContextStore) -> dict[str, object]:
    ref, _ = store.load_revision("shop", "context", 3)
    return ref.model_dump()


def test_no_attribute_leads_out_of_the_page(store: ContextStore):
    links = [
        value
        for _, one in Page(build_report(store, put_poisoned_run(store)).decode()).elements
        for name, value in one.items()
        if name in {"href", "src", "action", "style", "srcset", "data"} or name.startswith("on")
    ]
    assert links
    assert all(re.fullmatch(r"#[a-z]+(-\d+)?", link or "") for link in links)


def test_huge_texts_everywhere_leave_the_report_small(store: ContextStore):
    html = build_report(store, put_poisoned_run(store, "<\u202e" * 5_000))
    assert b"[cut: 10,000 characters in all]" in html
    assert len(html) < 2_500_000


def test_every_field_the_hostile_run_leaves_alone_is_a_reference_or_a_version():
    assert {"version", "ref", "log", "sha256", "workflow_id", "_checksum"} == KEPT
    assert "<script>" in HOSTILE


def test_a_report_of_a_thousand_tracks_has_at_most_five_megabytes(store: ContextStore):
    final = put_wide_run(store, 1000)
    html = build_report(store, final)
    assert len(html) < 5_000_000
    assert html.count(b'<tbody id="track-') == 1000
