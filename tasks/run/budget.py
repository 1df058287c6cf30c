"""What tracks have cost so far, over all attempts and runs, as their agents report it."""

from __future__ import annotations

import math
import threading

from contexts.documents.context import Context
from contexts.documents.records import Spent
from contexts.json.values import mapping
from contexts.spec.policy import Budget

NOTHING = Spent()
MOST_TOKENS = 2**53
MOST_DOLLARS = 1e12
"""No agent has spent more: what says so is cut to it, so that sums stay numbers that JSON can hold."""


def reported(said: object) -> Spent:
    """Return what an agent says of one attempt's usage; what is no amount counts as nothing."""
    usage = mapping(said)
    tokens = sum(int(_amount(usage.get(f"{way}_tokens"), MOST_TOKENS)) for way in ("input", "output"))
    return Spent(cost_usd=_amount(usage.get("cost_usd"), MOST_DOLLARS), tokens=min(tokens, MOST_TOKENS))


def recorded(context: Context | None) -> Spent:
    """Return what a track's document says all its attempts cost, whatever their inputs were."""
    if context and context.execution and context.execution.spent:
        return context.execution.spent
    return reported(context.usage.to_json() if context and context.usage else {})


def add(one: Spent, other: Spent) -> Spent:
    """Return the sum of both."""
    cost = min(float(one.cost_usd) + float(other.cost_usd), MOST_DOLLARS)
    return Spent(cost_usd=cost, tokens=min(one.tokens + other.tokens, MOST_TOKENS))


class Ledger:
    """What every track of a workflow has cost, against its budget; many threads may write to it at once.

    Args:
        budget: What the workflow may cost, over all its runs.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._spent: dict[str, Spent] = {}
        self._total = NOTHING
        self._lock = threading.Lock()

    @property
    def is_limited(self) -> bool:
        """Whether there is anything to watch."""
        return self._budget.cost_usd is not None or self._budget.tokens is not None

    def note(self, task_id: str, spent: Spent | None) -> None:
        """Enter what a track has cost in all, in place of what was known before."""
        with self._lock:
            before, now = self._spent.get(task_id, NOTHING), spent or NOTHING
            self._spent[task_id] = now
            cost = float(self._total.cost_usd) + float(now.cost_usd) - float(before.cost_usd)
            self._total = Spent(cost_usd=cost, tokens=self._total.tokens + now.tokens - before.tokens)

    @property
    def why_no_more(self) -> str:
        """Why no agent may start any more; empty while one may."""
        if not self.is_limited:
            return ""
        with self._lock:
            total = self._total
        if self._budget.cost_usd is not None and total.cost_usd >= self._budget.cost_usd:
            return f"the budget of {self._budget.cost_usd:g} US dollars is spent: the tracks report {total.cost_usd:g}"
        if self._budget.tokens is not None and total.tokens >= self._budget.tokens:
            return f"the budget of {self._budget.tokens} tokens is spent: the tracks report {total.tokens}"
        return ""


def _amount(value: object, most: float) -> float:
    if isinstance(value, str):
        try:
            value = float(value)  # many a program writes its numbers as texts
        except ValueError:
            return 0.0
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(min(value, most)) if value > 0 and not math.isnan(value) and value != math.inf else 0.0
