"""Environment variables and ports that tracks hand in as contracts: what two of them say of one and the same."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from contexts.audit.documents import DocumentSet
from contexts.audit.registry import found, rule
from contexts.audit.sample_documents import track
from contexts.documents.findings import Finding, Source
from contexts.documents.handin import ContractFile, Port, Variable
from contexts.json.values import at, is_list

_Model = TypeVar("_Model", Variable, Port)


def _sample(name: str, side: str, kind: str, entry: Mapping[str, Any]) -> Mapping[str, object]:
    return track(name, contracts={side: {kind: [entry]}})


def _stated(documents: DocumentSet, side: str, kind: str, model: type[_Model]) -> Iterator[tuple[_Model, Source]]:
    """Yield the entries of the tracks' hand-ins that are of their form, each with its place."""
    for document in documents.tracks:
        entries = at(document.data, "contracts", side, kind)
        for index, raw in enumerate(entries if is_list(entries) else []):
            try:
                yield model.model_validate(raw), document.source(("contracts", side, kind, index))
            except ValidationError:
                continue


@rule(
    "contracts/port",
    "blocking",
    "Two tracks let something else listen on one port, or one calls another port than the other listens on.",
    example=(
        _sample("api", "provides", "ports", {"number": 8080, "name": "api"}),
        _sample("web", "assumes", "ports", {"number": 8000, "name": "api"}),
    ),
    clean=(
        _sample("api", "provides", "ports", {"number": 8080, "name": "api"}),
        _sample("web", "assumes", "ports", {"number": 8080, "name": "api"}),
    ),
)
def port(documents: DocumentSet) -> Iterator[Finding]:
    """Compare what listens by number, and what is called by name."""
    listening: dict[int, list[tuple[Port, Source]]] = {}
    named: dict[str, list[tuple[Port, Source]]] = {}
    for one, source in _stated(documents, "provides", "ports", Port):
        listening.setdefault(one.number, []).append((one, source))
        if one.name:
            named.setdefault(one.name.casefold(), []).append((one, source))
    for number, members in listening.items():
        names = {one.name.casefold(): (one, source) for one, source in members if one.name}
        if len(names) > 1:
            shown = " and ".join(str(one.name) for one, _ in names.values())
            message = f"port {number} is listened on by {shown}, of several tracks"
            if len({source.document for _, source in names.values()}) > 1:
                yield found("contracts/port", message, [source for _, source in names.values()])
    for one, source in _stated(documents, "assumes", "ports", Port):
        offers = named.get(one.name.casefold(), []) if one.name else []
        if offers and all(offer.number != one.number for offer, _ in offers):
            numbers = ", ".join(str(offer.number) for offer, _ in offers)
            message = f"{one.name} is called on port {one.number}, and listens on {numbers}"
            yield found("contracts/port", message, [source, *(place for _, place in offers)])


@rule(
    "contracts/variable",
    "blocking",
    "Two tracks set one environment variable to different values where nobody says another.",
    example=(
        _sample("api", "provides", "variables", {"name": "PAGE_SIZE", "default": "20"}),
        _sample("worker", "provides", "variables", {"name": "PAGE_SIZE", "default": "50"}),
    ),
    clean=(
        _sample("api", "provides", "variables", {"name": "PAGE_SIZE", "default": "20"}),
        _sample("worker", "provides", "variables", {"name": "PAGE_SIZE", "default": "20"}),
    ),
)
def variable(documents: DocumentSet) -> Iterator[Finding]:
    """Compare the values that several tracks provide for one name."""
    provided: dict[str, list[tuple[Variable, Source]]] = {}
    for one, source in _stated(documents, "provides", "variables", Variable):
        if one.default is not None:
            provided.setdefault(one.name, []).append((one, source))
    for name, members in provided.items():
        values = {_plain(one.default): source for one, source in members}
        if len(values) > 1 and len({source.document for source in values.values()}) > 1:
            shown = " and ".join(repr(value) for value in values)
            yield found("contracts/variable", f"{name} is set to {shown} by several tracks", list(values.values()))


@rule(
    "contracts/variable-unset",
    "note",
    "A track needs an environment variable that has no default, and no track sets it.",
    example=(
        _sample("api", "assumes", "variables", {"name": "DATABASE_URL", "required": True}),
        _sample("infra", "provides", "variables", {"name": "DB_URL"}),
    ),
    clean=(
        _sample("api", "assumes", "variables", {"name": "DATABASE_URL", "required": True}),
        _sample("infra", "provides", "variables", {"name": "DATABASE_URL"}),
    ),
)
def variable_unset(documents: DocumentSet) -> Iterator[Finding]:
    """Look for every needed variable among those that tracks set, where any says what it sets."""
    provided = {one.name for one, _ in _stated(documents, "provides", "variables", Variable)}
    for one, source in _stated(documents, "assumes", "variables", Variable):
        if one.required and one.default is None and provided and one.name not in provided:
            message = f"{one.name} is needed, and no track sets it: it must come from where the product runs"
            yield found("contracts/variable-unset", message, [source])


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@rule(
    "contracts/entry",
    "warning",
    "An entry of a hand-in's variables, ports or files is not of its form, so nothing is compared with it.",
    example=(_sample("api", "provides", "ports", {"port": 8080}),),
    clean=(_sample("api", "provides", "ports", {"number": 8080}),),
)
def entry(documents: DocumentSet) -> Iterator[Finding]:
    """Say of every entry that is not of its form where it stands and why."""
    models: Mapping[str, type[Variable | Port | ContractFile]] = {
        "variables": Variable, "ports": Port, "files": ContractFile,
    }  # fmt: skip
    for document in documents.tracks:
        for side, (kind, model) in itertools.product(("provides", "assumes"), models.items()):
            entries = at(document.data, "contracts", side, kind)
            for index, raw in enumerate(entries if is_list(entries) else []):
                try:
                    model.model_validate(raw)
                except ValidationError as error:
                    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
                    member = ".".join(str(part) for part in first["loc"]) or "it"
                    message = f"contracts.{side}.{kind}.{index} was not read ({member}: {first['msg']})"
                    yield found("contracts/entry", message, [document.source(("contracts", side, kind, index))])
