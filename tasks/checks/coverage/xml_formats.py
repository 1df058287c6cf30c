"""Coverage as XML: Cobertura's and JaCoCo's, read in a stream."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.parsers.expat import ExpatError, ParserCreate

from tasks.checks.coverage.measured import FileCounts, Measured
from tasks.checks.report_file import ReportError

_CONDITION = re.compile(r"[^(]{0,40}\((\d{1,9})/(\d{1,9})\)")
_DEEPEST = 200
_MILLISECONDS = 1e11
"""A time from here on is told in milliseconds since 1970: as seconds it would be of the year 5138."""


@dataclass(slots=True)
class _OneFile:
    lines: dict[int, bool] = field(default_factory=dict[int, bool])
    branches: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])


class _Reader:
    """Takes the elements of either format as the parser meets them."""

    def __init__(self) -> None:
        self.root = ""
        self.told: float | None = None
        self._measures_branches = False
        self._open: list[str] = []
        self._package = ""
        self._file: _OneFile | None = None
        self._files: dict[str, _OneFile] = {}
        self._sources: list[str] = []
        self._text: list[str] | None = None

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        tag = name.rpartition("}")[2]
        if not self._open:
            self._begin(tag, attributes)
        if len(self._open) >= _DEEPEST:
            raise ReportError("the coverage report is nested too deep")
        self._open.append(tag)
        if self.root == "coverage":
            self._cobertura(tag, attributes)
        else:
            self._jacoco(tag, attributes)

    def data(self, text: str) -> None:
        """Keep the text of Cobertura's ``source``."""
        if self._text is not None and sum(map(len, self._text)) < 4096:
            self._text.append(text[:4096])

    def end(self, name: str) -> None:
        """End an element."""
        tag = name.rpartition("}")[2]
        self._open.pop()
        if tag == "source" and self._text is not None:
            self._sources.append("".join(self._text).strip())
            self._text = None
        elif tag in {"class", "sourcefile"}:
            self._file = None

    def _begin(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag not in {"coverage", "report"}:
            raise ReportError(f"the coverage report is XML of no known form: its root is <{tag[:40]}>")
        self.root = tag
        if tag == "coverage":
            if "line-rate" not in attributes and "lines-valid" not in attributes:
                raise ReportError("the coverage report is XML of no known form: <coverage> without line-rate")
            time = attributes.get("timestamp", "")
            if re.fullmatch(r"\d{1,18}(?:\.\d{1,9})?", time):
                self._tell(float(time))
            self._measures_branches = attributes.get("branches-valid", "0") not in {"", "0"}

    def _tell(self, time: float) -> None:
        seconds = time / 1000 if time >= _MILLISECONDS else time
        if seconds > 0:
            self.told = max(seconds, self.told or 0.0)

    def _cobertura(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "source":
            self._text = []
        elif tag == "class" and (name := attributes.get("filename")):
            self._file = self._files.setdefault(name, _OneFile())
        elif tag == "line" and self._file is not None:
            number, hits = _whole(attributes.get("number")), _whole(attributes.get("hits"))
            if number is None or hits is None:
                raise ReportError("the coverage report has a line without number or hits")
            self._file.lines[number] = self._file.lines.get(number, False) or hits > 0
            if found := _CONDITION.match(attributes.get("condition-coverage", "")):
                self._branch(number, int(found[1]), int(found[2]))

    def _jacoco(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "sessioninfo" and (dumped := _whole(attributes.get("dump"))):
            self._tell(float(dumped))
        elif tag == "package":
            self._package = attributes.get("name", "")
        elif tag == "sourcefile":
            name = "/".join(filter(None, (self._package, attributes.get("name", ""))))
            self._file = self._files.setdefault(name, _OneFile())
        elif tag == "line" and self._file is not None:
            known = {key: _whole(attributes.get(key, "0")) for key in ("nr", "ci", "mb", "cb")}
            number, run, missed, covered = known.values()
            if number is None or run is None or missed is None or covered is None:
                raise ReportError("the coverage report has a line whose counts are none")
            self._file.lines[number] = self._file.lines.get(number, False) or run > 0
            if missed + covered:
                self._branch(number, covered, missed + covered)

    def _branch(self, number: int, covered: int, total: int) -> None:
        if self._file is None or covered > total:
            raise ReportError("the coverage report has a line with more branches covered than there are")
        self._measures_branches = True
        before = self._file.branches.get(number, (0, 0))
        self._file.branches[number] = (max(covered, before[0]), max(total, before[1]))

    def result(self) -> Measured:
        """Return what was read."""
        folders = tuple(self._sources[:50])
        return Measured(
            {
                name: FileCounts.of_lines(one.lines, one.branches, measured=self._measures_branches, folders=folders)
                for name, one in self._files.items()
            },
            told=self.told,
        )


def read_xml(raw: bytes) -> Measured:
    """Return what a Cobertura or JaCoCo report says, told apart by its root.

    Raises:
        ReportError: No XML of one of these, or one that declares entities.
    """
    reader = _Reader()
    parser = ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.data
    parser.EntityDeclHandler = _refuse
    try:
        parser.Parse(raw, True)
    except (ExpatError, ValueError, LookupError) as error:
        raise ReportError(f"the coverage report cannot be read: {error}") from error
    return reader.result()


def _refuse(*declared: object) -> None:
    """Refuse an entity where it is declared, before it can expand; document types that only name one are usual here."""
    del declared
    raise ReportError("the coverage report declares entities, which is refused")


def _whole(value: str | None) -> int | None:
    return int(value) if value is not None and re.fullmatch(r"\d{1,18}", value) else None
