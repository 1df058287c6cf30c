"""Which files of the integrated tree tracks name as contracts, and what was read of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from pydantic import ValidationError

from contexts.documents.base import JsonObject, Open
from contexts.documents.findings import Finding, Source
from contexts.documents.handin import ContractFile, FileFormat
from contexts.json.values import entries, is_object, mapping, section, text
from contexts.spec.model import Spec
from contexts.store.keys import TRACKS

Side = Literal["provides", "assumes"]
SIDES: tuple[Side, Side] = ("provides", "assumes")

_IN_READ = re.compile(r"/contracts/(?:provides|assumes)/files/\d+/read/")
_ENDINGS: Mapping[str, FileFormat] = {
    ".ts": "typescript",
    ".tsx": "typescript",
    ".mts": "typescript",
    ".cts": "typescript",
    ".proto": "protobuf",
    ".graphql": "graphql",
    ".graphqls": "graphql",
    ".gql": "graphql",
    ".py": "pydantic",
}


@dataclass(frozen=True, slots=True)
class Named:
    """One entry of a track's ``contracts.SIDE.files``.

    Attributes:
        track: The track's task_id.
        side: What the track does with the interface.
        index: Place in the list of that side; those of the spec come after the hand-in's.
        path: The file, as far as the entry says one.
        file: The entry; None where it is not of the form of one.
        in_spec: Whether the spec names it, and not the hand-in.
    """

    track: str
    side: Side
    index: int
    path: str
    file: ContractFile | None
    in_spec: bool = False

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.track}/{self.side}/{self.index}"

    @property
    def source(self) -> Source:
        """Where the file is named."""
        where = f"/contracts/{self.side}/files/{self.index}"
        return Source(document=f"{TRACKS}{self.track}", pointer=where, quote=self.path)


class FileRead(Open):
    """What was read of one named file.

    Attributes:
        file: The entry, as hand-in or spec have it.
        read: ``operations`` and ``schemas``, or ``openapi``, or ``unread`` with the reason.
        parts: What of it could not be read.
    """

    track: str
    side: Side
    index: int
    in_spec: bool
    file: JsonObject
    read: JsonObject
    parts: list[str] | None = None


class FilesRead(Open):
    """The report of the check: every named file, in the order of tracks, sides and lists."""

    files: list[FileRead]


def named_files(tracks: Mapping[str, JsonObject], spec: Spec) -> list[Named]:
    """Return the files that tracks' documents and the spec name.

    Args:
        tracks: Documents of the tracks whose work is in the tree, by task_id.
        spec: The spec; what it names besides for those tracks.
    """
    named: list[Named] = []
    for task_id, document in tracks.items():
        planned = next((one.contracts for one in spec.parallel_tasks if one.task_id == task_id), None)
        for side in SIDES:
            given = _given(document, side)
            named += [_entry(task_id, side, index, raw) for index, raw in enumerate(given)]
            known = {text(mapping(raw).get("path")) for raw in given}
            listed = () if planned is None else planned.provides if side == "provides" else planned.assumes
            more = [ContractFile.model_validate(one.model_dump()) for one in listed if one.path not in known]
            named += [Named(task_id, side, len(given) + at, one.path, one, in_spec=True) for at, one in enumerate(more)]
    return named


def _given(document: Mapping[str, object], side: Side) -> list[object]:
    return entries(section(section(document, "contracts"), side), "files")


def _entry(task_id: str, side: Side, index: int, raw: object) -> Named:
    path = text(mapping(raw).get("path"))
    try:
        return Named(task_id, side, index, path, ContractFile.model_validate(raw))
    except ValidationError:
        return Named(task_id, side, index, path, None)


def format_of(file: ContractFile, value: object) -> FileFormat | None:
    """Return a file's format: as stated, or as its ending or its members say; None where nothing says it.

    Args:
        file: The entry.
        value: The parsed file, if it is JSON or YAML.
    """
    if file.format:
        return file.format
    if told := _ENDINGS.get(PurePosixPath(file.path).suffix.lower()):
        return told
    members = mapping(value)
    if "openapi" in members or "swagger" in members:
        return "openapi"
    return "json-schema" if "$schema" in members else None


def with_read(document: JsonObject, task_id: str, files: Sequence[FileRead]) -> JsonObject:
    """Return a copy of a track's document in which every file it names has what was ``read`` of it."""
    changed = document
    for side in SIDES:
        mine = [one for one in files if (one.track, one.side) == (task_id, side)]
        if not mine:
            continue
        listed = _given(document, side)
        for one in mine:
            if one.in_spec:
                listed = [*listed, {**one.file, "read": one.read}]
            elif one.index < len(listed) and is_object(listed[one.index]):
                entry = {**mapping(listed[one.index]), "read": one.read}
                listed = [*listed[: one.index], entry, *listed[one.index + 1 :]]
        contracts = section(changed, "contracts")
        changed = {**changed, "contracts": {**contracts, side: {**section(contracts, side), "files": listed}}}
    return changed


def is_of_a_file(finding: Finding) -> bool:
    """Tell whether a finding is about the words of a file that was read: examples and descriptions claim nothing."""
    return finding.family != "contracts" and any(_IN_READ.match(one.pointer) for one in finding.sources)


def at_its_entry(finding: Finding, files: Mapping[str, Sequence[FileRead]]) -> Finding:
    """Return a finding whose sources inside a file that was read point at the file's entry in the document.

    Args:
        finding: A finding on documents that `with_read` made; what was read is in no document that is kept.
        files: What was read, by task_id.
    """
    return finding.changed(sources=tuple(_at_entry(one, files) for one in finding.sources))


def _at_entry(source: Source, files: Mapping[str, Sequence[FileRead]]) -> Source:
    inside = _IN_READ.match(source.pointer)
    if inside is None:
        return source
    side, index = source.pointer.split("/")[2], int(source.pointer.split("/")[4])
    of_track = files.get(source.document.removeprefix(TRACKS), ())
    path = next((text(one.file.get("path")) for one in of_track if (one.side, one.index) == (side, index)), "")
    place = source.pointer[inside.end() - 1 :]
    return source.changed(pointer=f"/contracts/{side}/files/{index}", quote=f"{path} {place}: {source.quote}")


def unread(named: Named, reason: str) -> Finding:
    """Say of a named file that it, or a part of it, was not read."""
    message = f"{named.path or 'a file'} of track {named.track} was not read: {reason}"
    return Finding(rule="contracts/unread", severity="warning", message=message, sources=(named.source,))
