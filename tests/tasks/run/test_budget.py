"""What tracks cost, over all attempts, against the budget."""

from typing import Any

import pytest

from contexts.documents.context import Context
from contexts.documents.parts import Usage
from contexts.documents.records import Execution, Spent
from contexts.spec.policy import Budget
from tasks.run.budget import MOST_DOLLARS, MOST_TOKENS, Ledger, add, recorded, reported


@pytest.mark.parametrize(
    ("usage", "spent"),
    [
        ({"cost_usd": 1.5, "input_tokens": 10, "output_tokens": 5}, Spent(cost_usd=1.5, tokens=15)),
        ({"cost_usd": "lots", "input_tokens": None, "output_tokens": [3]}, Spent()),
        ({"cost_usd": -3, "input_tokens": -7, "output_tokens": True}, Spent()),
        ({"cost_usd": float("nan"), "input_tokens": float("inf")}, Spent()),
        ("much", Spent()),
        ({"input_tokens": "99999999999999999999", "output_tokens": 1e300}, Spent(tokens=MOST_TOKENS)),
        ({"cost_usd": 1e308}, Spent(cost_usd=MOST_DOLLARS)),
        (None, Spent()),
    ],
)
def test_only_amounts_count(usage: Any, spent: Spent) -> None:
    assert reported(usage) == spent


def test_a_document_says_what_all_attempts_cost_and_an_older_one_what_its_agent_said() -> None:
    when = "2026-01-01T00:00:00Z"
    tried = Execution(inputs="i", backend="command", started_at=when, seconds=1, attempts=[])
    older = Context(
        version="1.0", workflow_id="w-a", timestamp=when, current_agent="a", phase="a-complete",
        usage=Usage(cost_usd=2), execution=tried,
    )  # fmt: skip
    assert recorded(older) == Spent(cost_usd=2)
    newer = older.changed(execution=tried.changed(spent=Spent(cost_usd=5, tokens=7)))
    assert recorded(newer) == Spent(cost_usd=5, tokens=7)
    assert recorded(None) == Spent()
    assert add(Spent(cost_usd=1, tokens=2), Spent(cost_usd=3)) == Spent(cost_usd=4, tokens=2)
    most = Spent(cost_usd=MOST_DOLLARS, tokens=MOST_TOKENS)
    assert add(most, most) == most


def test_a_ledger_says_which_limit_is_reached_and_a_later_entry_takes_an_earlier_ones_place() -> None:
    ledger = Ledger(Budget(cost_usd=5, tokens=100))
    ledger.note("a", Spent(cost_usd=3, tokens=10))
    ledger.note("a", Spent(cost_usd=4, tokens=20))
    assert ledger.why_no_more == ""
    ledger.note("b", Spent(cost_usd=1))
    assert "5 US dollars is spent" in ledger.why_no_more
    ledger.note("b", Spent(tokens=80))
    assert "100 tokens is spent" in ledger.why_no_more


def test_without_a_budget_nothing_is_ever_spent() -> None:
    ledger = Ledger(Budget())
    ledger.note("a", Spent(cost_usd=1e9, tokens=10**12))
    assert not ledger.is_limited
    assert ledger.why_no_more == ""


def test_a_budget_of_nothing_is_spent_at_once() -> None:
    assert Ledger(Budget(cost_usd=0)).why_no_more
