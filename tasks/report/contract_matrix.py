"""The contract matrix: what every consumer of an API expects against what every provider offers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from contexts.contracts import Contract, compare, matrix, read_contracts
from contexts.documents.base import JsonObject
from tasks.report.bounds import listed
from tasks.report.data import Cell, ContractMatrix, ContractPair
from tasks.report.text import plain
from tasks.report.values import status

_MOST_SIDES = 40
"""Consumers, and providers, that are compared; more than this no matrix can be read."""
_MOST_ENDPOINTS = 100
_MOST_MESSAGES = 8


def contract_matrix(tracks: Iterable[JsonObject]) -> ContractMatrix:
    """Return the matrix of the contracts that the tracks' documents state in words of their agents.

    Where nobody expects what somebody offers, ``unavailable`` says so in a sentence.
    """
    stated = [
        replace(one, document=f"{one.document}: {one.file}") if one.file else one
        for track in tracks
        for one in read_contracts(str(track.get("task_id")), track)
        if one.endpoints
    ]
    consumers = [one for one in stated if one.role == "consumer"][:_MOST_SIDES]
    providers = [one for one in stated if one.role == "provider"][:_MOST_SIDES]
    verdicts = matrix([*consumers, *providers])
    if not verdicts:
        return ContractMatrix(unavailable=_why(consumers, providers))
    expects = {one.document: one for one in consumers}
    offers = {one.document: one for one in providers}
    pairs = [
        _pair(expects[consumer], offers[provider], endpoints) for (consumer, provider), endpoints in verdicts.items()
    ]
    kept = listed(pairs, lambda one: one, most=_MOST_SIDES * _MOST_SIDES, budget=400_000)
    return ContractMatrix(
        tuple(dict.fromkeys(one.consumer for one in kept.shown)),
        tuple(dict.fromkeys(one.provider for one in kept.shown)),
        kept,
    )


def _pair(consumer: Contract, provider: Contract, endpoints: Mapping[str, str]) -> ContractPair:
    said: dict[str, list[str]] = {}
    for mismatch in compare(consumer, provider):
        said.setdefault(mismatch.endpoint, []).append(plain(mismatch.message, 400))
    cells = [
        (plain(name, 200), Cell(status(word), tuple(said.get(name, ())[:_MOST_MESSAGES])))
        for name, word in list(endpoints.items())[:_MOST_ENDPOINTS]
    ]
    return ContractPair(consumer.document, provider.document, tuple(cells))


def _why(consumers: Sequence[Contract], providers: Sequence[Contract]) -> str:
    if not consumers and not providers:
        return "No track states an API contract."
    if not consumers:
        return "Tracks offer an API, but none says what it expects of one."
    if not providers:
        return "Tracks expect an API, but none offers one."
    return "The endpoints tracks expect and those they offer have nothing in common."
