"""What tracks may fight over: files they both own, migrations, ports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from contexts.plan.globs import MOST_WORK, Meetings, meeting_pairs
from contexts.plan.graph import Ancestry, ancestry
from contexts.spec.model import Spec

FREE_PORTS = 28_232
"""The size of Linux' usual range of ephemeral ports, 32768 to 60999."""
_DESCRIBED = 1_000
"""Overlaps that are described; all are counted."""

Kind = Literal["files", "files-undecided", "migration-name", "migration-heads", "ports"]


class Overlap(BaseModel):
    """Two tracks that may get in each other's way.

    Attributes:
        kind: ``files`` (globs that can match one path), ``files-undecided`` (comparing all globs would take too long,
            so some were not), ``migration-name`` (the same twice), ``migration-heads`` (both add migrations to the
            same base) or ``ports`` (more are wanted at once than there are).
        tracks: The tracks; two, but for ports, and for undecided globs the owners of the first that were not compared.
        patterns: The globs or names.
        ordered: One needs the other, so that it starts from its result: no conflict.
        message: One sentence with what to do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    tracks: tuple[str, ...]
    patterns: tuple[str, ...] = ()
    ordered: bool = False
    message: str


_Found = tuple[Kind, tuple[str, str], tuple[str, ...], bool]
"""Kind, tracks, patterns, ordered: as cheap as counting half a million of them asks for."""


class Overlaps(BaseModel):
    """All overlaps of a spec, counted, and the first of them.

    Attributes:
        listed: The first ones; those that matter before those that ``needs`` has settled.
        total: How many there are.
        unsettled: How many of them are not ordered by needs.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    listed: tuple[Overlap, ...]
    total: int
    unsettled: int


def overlaps(spec: Spec, *, free_ports: int = FREE_PORTS, most_work: int = MOST_WORK) -> Overlaps:
    """Find what tracks may fight over.

    Args:
        spec: The spec.
        free_ports: How many loopback ports may be handed out at once.
        most_work: Steps after which globs are not compared any more, which is then an overlap of its own.
    """
    order = ancestry(spec)
    owners = _owners(spec)
    meetings = meeting_pairs(owners, most_work=most_work)
    found = [*_shared_files(owners, meetings, order), *_shared_migrations(spec, order)]
    unsettled = [overlap for overlap in found if not overlap[3]]
    settled = [overlap for overlap in found if overlap[3]]
    described = [
        Overlap(
            kind=kind,
            tracks=tracks,
            patterns=patterns,
            ordered=ordered,
            message=_message(kind, tracks, patterns, ordered),
        )
        for kind, tracks, patterns, ordered in (*unsettled, *settled)[:_DESCRIBED]
    ]
    besides = [*_crowded_ports(spec, free_ports), *_undecided(owners, meetings)]
    return Overlaps(
        listed=(*besides, *described), total=len(found) + len(besides), unsettled=len(unsettled) + len(besides)
    )


def _crowded_ports(spec: Spec, free_ports: int) -> Iterator[Overlap]:
    peak = peak_ports(spec)
    if peak > free_ports:
        wanting = tuple(track.task_id for track in spec.parallel_tasks if track.ports)
        message = f"up to {peak} ports are wanted at once and {free_ports} are free; lower ports or max_parallel"
        yield Overlap(kind="ports", tracks=wanting, message=message)


def _undecided(owners: Mapping[str, Sequence[str]], meetings: Meetings) -> Iterator[Overlap]:
    if meetings.undecided:
        tracks = tuple(dict.fromkeys(owners[pattern][0] for pattern in meetings.undecided))
        names = " and ".join(tracks)
        message = (
            "the globs of owns are too many or too long to compare all of them, so more tracks than are told of may "
            f"change the same files: not decided from those of {names} on; shorten owns, or give tracks folders of "
            "their own"
        )
        yield Overlap(kind="files-undecided", tracks=tracks, patterns=meetings.undecided, message=message)


def _message(kind: Kind, tracks: tuple[str, str], patterns: tuple[str, ...], ordered: bool) -> str:
    one, other = tracks
    if kind == "migration-name":
        return f"{one} and {other} both add migration {patterns[0]}; give one another name"
    if kind == "migration-heads":
        return f"{one} and {other} both add migrations to the same base, which makes two heads; let one need the other"
    shown = " and ".join(dict.fromkeys(patterns))
    then = "one needs the other, so they do not meet" if ordered else "let one need the other, or narrow owns"
    return f"{one} and {other} may both change {shown}; {then}"


def _owners(spec: Spec) -> dict[str, list[str]]:
    """Return the tracks that own each pattern."""
    owners: dict[str, list[str]] = {}
    for track in spec.parallel_tasks:
        for pattern in dict.fromkeys(track.owns):
            owners.setdefault(pattern, []).append(track.task_id)
    return owners


def _shared_files(owners: Mapping[str, Sequence[str]], meetings: Meetings, order: Ancestry) -> Iterator[_Found]:
    met: dict[tuple[str, str], tuple[str, str]] = {}
    same = ((pattern, pattern) for pattern, tracks in owners.items() if len(tracks) > 1)
    for left, right in (*same, *meetings.pairs):
        for one in owners[left]:
            for other in owners[right]:
                if order.index[one] < order.index[other]:
                    met.setdefault((one, other), (left, right))
                elif one != other:
                    met.setdefault((other, one), (right, left))
    for pair in sorted(met, key=lambda names: (order.index[names[0]], order.index[names[1]])):
        yield "files", pair, met[pair], order.ordered(*pair)


def _shared_migrations(spec: Spec, order: Ancestry) -> Iterator[_Found]:
    adding = [track for track in spec.parallel_tasks if track.migrations]
    for number, one in enumerate(adding):
        for other in adding[number + 1 :]:
            pair = (one.task_id, other.task_id)
            if twice := tuple(name for name in dict.fromkeys(one.migrations) if name in other.migrations):
                yield "migration-name", pair, twice, False
            elif not order.ordered(*pair):
                yield "migration-heads", pair, (one.migrations[-1], other.migrations[-1]), False


def peak_ports(spec: Spec) -> int:
    """Return the most ports that tracks running side by side can want, whatever the needs allow."""
    return sum(sorted((track.ports for track in spec.parallel_tasks), reverse=True)[: spec.max_parallel])
