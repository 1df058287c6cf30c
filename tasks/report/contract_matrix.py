"""The contract matrix: what every consumer of an API expects against what every provider offers."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from typing import Any

from contexts.model.base import JsonObject
from tasks.report.bounds import listed
from tasks.report.data import Cell, ContractMatrix, ContractPair, status

_MODULE = "contexts.contract"
_MOST_TRACKS = 200


def contract_matrix(tracks: Iterable[JsonObject]) -> ContractMatrix:
    """Return the matrix of the tracks' contracts.

    Without anybody who names an endpoint on either side, ``unavailable`` says so in a sentence.
    """
    if importlib.util.find_spec(_MODULE) is None:
        return ContractMatrix(unavailable="This version does not compare API contracts.")
    contract: Any = importlib.import_module(_MODULE)
    every = list(tracks)
    contracts: list[Any] = [
        one for track in every[:_MOST_TRACKS] for one in contract.read_contracts(str(track.get("task_id")), track)
    ]
    verdicts: dict[tuple[str, str], dict[str, str]] = contract.matrix(contracts)
    if not verdicts:
        return ContractMatrix(unavailable=_why(contracts))
    sides = {(one.document, one.role): one for one in contracts}
    pairs: list[ContractPair] = []
    for (consumer, provider), endpoints in verdicts.items():
        said: dict[str, list[str]] = {}
        for mismatch in contract.compare(sides[consumer, "consumer"], sides[provider, "provider"]):
            said.setdefault(mismatch.endpoint, []).append(mismatch.message)
        cells = [(name, Cell(status(word), tuple(said.get(name, ())[:8]))) for name, word in endpoints.items()]
        pairs.append(ContractPair(consumer, provider, tuple(cells[:100])))
    kept = listed(pairs, lambda one: one, most=400, budget=300_000)
    return ContractMatrix(
        tuple(dict.fromkeys(one.consumer for one in kept.shown)),
        tuple(dict.fromkeys(one.provider for one in kept.shown)),
        kept,
    )


def _why(contracts: Iterable[Any]) -> str:
    roles = {one.role for one in contracts}
    if not roles:
        return "No track states an API contract."
    if roles == {"provider"}:
        return "Tracks offer an API, but none says what it expects of one."
    if roles == {"consumer"}:
        return "Tracks expect an API, but none offers one."
    return "The endpoints tracks expect and those they offer have nothing in common."
