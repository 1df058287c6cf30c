"""What people decided, as the report of a run tells it."""

from __future__ import annotations

from typing import Any

import pytest

from contexts.store.contexts import ContextStore
from tasks.report import build_report, gather
from tests.tasks.report.page import Page
from tests.tasks.report.stored import HOSTILE, put_deployed_run


def concern(usual: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**usual["integration_concerns"][0], **changes}


def test_a_waived_finding_says_who_and_why_and_is_not_called_blocking(page: Page):
    text = page.said("findings")
    assert "Waived by Ann: fine" in text
    assert "Severity: blocking. Waived by Ann on 2 March 2026, 09:00:04 UTC: fine" in text
    assert "Blocking" not in text


def test_the_counts_tell_waived_from_blocking_and_from_met(page: Page):
    text = page.said("summary")
    assert "0 blocking, 1 waived" in text
    assert "1 met, 1 waived" in text
    assert "Everything required is verified, or was waived by a person, and it is in production." in page.said("")


def test_a_finding_that_is_not_waived_counts_as_before(store: ContextStore):
    given = {"rule": "a/b", "severity": "blocking", "message": "Wrong", "sources": []}
    final = put_deployed_run(store, findings=[given, given], criteria=[], waivers=[])
    counts = {name: (value, more) for name, value, more in gather(store, final).counts}
    assert counts["findings"] == ("2", "2 blocking")
    assert counts["criteria met"] == ("none set", "")
    assert "waived" not in gather(store, final).meaning


def test_a_waived_check_keeps_its_result_and_says_who_accepts_it(page: Page):
    text = page.said("evidence")
    assert "Failed Waived by Ann: only style" in text.replace("FailedWaived", "Failed Waived")
    assert "1 waived" in page.said("summary")


def test_who_waives_is_text_and_a_long_reason_is_shown_in_full_beside_the_badge(store: ContextStore):
    waived = {"by": HOSTILE, "why": "because " * 60, "timestamp": "2026-03-02T09:00:00Z"}
    one = {"rule": "a/b", "severity": "blocking", "message": "Wrong", "sources": [], "waived": waived}
    html = build_report(store, put_deployed_run(store, findings=[one])).decode()
    assert "<script>" not in html
    assert "\u202e" not in html
    assert ("because " * 60).strip() in Page(html).said("findings")


def test_a_waiver_without_words_still_waives(store: ContextStore):
    nobody = {"by": "", "why": "", "timestamp": "2026-03-02T09:00:00Z"}
    one = {"rule": "a/b", "severity": "blocking", "message": "Wrong", "sources": [], "waived": nobody}
    assert "Waived by an unnamed person on 2 March 2026, 09:00:00 UTC: no reason is recorded" in Page(
        build_report(store, put_deployed_run(store, findings=[one])).decode()
    ).said("findings")


def test_a_settled_concern_has_the_choice_who_why_and_what_it_superseded(page: Page):
    text = page.said("concerns")
    assert "Choice: camelCase" in text
    assert "Settled by Bob on 2 March 2026, 09:00:03 UTC: browsers do" in text
    assert "Superseded: snake_case. Settled by Dan on 2 March 2026, 09:00:02 UTC: it is older" in text
    assert "api#/decisions/0Superseded" in text
    assert "page#/decisions/0Chosen" in text


def test_the_decision_that_lost_is_marked_and_one_that_nobody_contradicted_is_not(store: ContextStore):
    lost, chosen, other = gather(store, put_deployed_run(store)).decisions.shown
    assert lost.status and lost.status.word == "superseded"  # noqa: PT018
    assert lost.note == "Superseded by the settlement on camelCase, by Bob: browsers do"
    assert chosen.status and (chosen.status.word, chosen.status.tone) == ("chosen", "good")  # noqa: PT018
    assert (other.status, other.note) == (None, "")


@pytest.mark.parametrize("choice", ["page", "page's", " CamelCase "])
def test_a_side_is_chosen_by_its_words_or_by_its_track(store: ContextStore, usual: dict[str, Any], choice: str):
    settled = concern(
        usual, settlement={"choice": choice, "by": "Bob", "why": "so", "timestamp": "2026-03-02T09:00:00Z"}
    )
    words = [one.status.word for one in gather(
        store, put_deployed_run(store, integration_concerns=[settled])
    ).decisions.shown if one.status]  # fmt: skip
    assert words == ["superseded", "chosen"]


def test_a_choice_in_other_words_names_no_winner_and_is_told_at_both_decisions(
    store: ContextStore, usual: dict[str, Any]
):
    settled = concern(
        usual, settlement={"choice": "kebab", "by": "Bob", "why": "so", "timestamp": "2026-03-02T09:00:00Z"}
    )
    first, second, _ = gather(store, put_deployed_run(store, integration_concerns=[settled])).decisions.shown
    assert first.note == second.note == "Contradicted; settled as kebab, by Bob: so"


def test_a_concern_that_is_open_supersedes_nothing(store: ContextStore, usual: dict[str, Any]):
    final = put_deployed_run(store, integration_concerns=[concern(usual, status="open")])
    data = gather(store, final)
    assert [one.status for one in data.decisions.shown] == [None, None, None]
    assert data.concerns.shown[0].decision is None
