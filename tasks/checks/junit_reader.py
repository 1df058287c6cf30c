"""JUnit XML as test tools really write it, read whole: cases wherever they stand, and what suites say of themselves.

There is a schema, and no tool keeps it. Node writes cases directly below ``testsuites`` and suites within suites; Go's
converters put an ``error`` into a suite that has no case; googletest marks a disabled test by an attribute; pytest
counts subtests that it writes no case for; Surefire adds earlier tries of a flaky test. So the elements are gone
through once, in a stream, and nothing but what a case or a suite says of itself is taken for its outcome.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from xml.etree.ElementTree import ParseError, XMLParser

from tasks.checks.report_file import ReportError

_KEPT = 10_000
"""Characters of a message that are looked at, so that no secret goes over the end of those that are shown."""
_DEEPEST = 200
_DECLARATION = re.compile(r"\A\s{0,100}<\?xml[^>]{0,200}\?>")
"""Says how the bytes were encoded; text that was decoded already has none."""
_ENCODING = re.compile(rb"\A\s{0,100}<\?xml[^>]{0,200}?encoding\s{0,9}=\s{0,9}[\"']([\w.-]{1,40})[\"']")
_MARKS = (
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_ONE_BYTE = frozenset({"iso-8859-1", "iso-8859-15", "latin-1", "windows-1252", "cp1252", "us-ascii", "ascii"})

Outcome = Literal["passed", "failed", "errors", "skipped"]
_BY_CHILD: Mapping[str, Outcome] = {
    "failure": "failed", "error": "errors", "skipped": "skipped", "disabled": "skipped", "ignored": "skipped",
    "warning": "skipped",
}  # fmt: skip
_BY_WORD: Mapping[str, Outcome] = {
    **dict.fromkeys(("fail", "failed", "failure"), "failed"),
    **dict.fromkeys(("error", "errored", "crashed", "aborted", "timeout", "timedout", "broken"), "errors"),
    **dict.fromkeys(
        ("notrun", "skip", "skipped", "disabled", "suppressed", "ignored", "pending", "todo", "inconclusive"), "skipped"
    ),
}
"""What ``status`` and ``result`` of a case say where no element does; any other word is that of a test that ran."""
_OWN_FILE = re.compile(r"test::(?:/|[A-Za-z]:[\\/])")
"""Node's case on top for a file that ended well without a test in it."""
_EARLIER = frozenset({"flakyFailure", "flakyError", "rerunFailure", "rerunError"})
"""Surefire's elements for other tries of a test than the one that decides."""
_WORST: tuple[Outcome, ...] = ("errors", "failed", "skipped", "passed")
_UNITS = {
    "": 1,
    "s": 1,
    "sec": 1,
    "ms": 1e-3,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ns": 1e-9,
    "m": 60,
    "min": 60,
    "h": 3600,
}
_DURATION = re.compile(r"\+?(\d[\d,.]{0,30}(?:[eE][+-]?\d{1,3})?)\s?([a-zµμ]{0,3})")


def read_junit(raw: bytes) -> Junit:
    """Return the cases of a JUnit XML file, and what it says of itself.

    Raises:
        ReportError: Not JUnit XML, or with a document type (which could expand without bound).
    """
    text = _DECLARATION.sub("", _decoded(raw))
    reader = _Reader()
    parser = XMLParser(target=reader)  # noqa: S314 a document type, which could expand, is refused
    try:
        parser.feed(text)
        parser.close()
    except (ParseError, ValueError) as error:
        raise ReportError(f"the JUnit report cannot be read: {error}") from error
    return Junit(tuple(reader.cases), reader.contradiction, tuple(reader.times), reader.maker)


def _decoded(raw: bytes) -> str:
    declared = _ENCODING.match(raw)
    name = declared.group(1).decode("ascii").lower() if declared else "utf-8"
    encoding = next((one for mark, one in _MARKS if raw.startswith(mark)), name if name in _ONE_BYTE else "utf-8-sig")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise ReportError(f"the JUnit report is not {encoding.removesuffix('-sig').upper()}: {error}") from error
    if "\0" in text:  # of two bytes a character, and it does not begin by saying so
        raise ReportError("the JUnit report is not UTF-8: it holds NUL")
    return text


@dataclass(slots=True)
class JunitCase:
    """A case of a report, or what concerns a suite alone.

    Attributes:
        name: ``classname::name``.
        file: Its file, where the report tells it.
        suite: Name of the suite around it.
        retried: Whether another try of it failed, as Surefire tells.
        tolerated: Whether it is marked as skipped: Node and Catch2 write the failure of a test that may fail (todo)
            beside that.
    """

    name: str
    seconds: float
    outcome: Outcome
    message: str = ""
    file: str = ""
    suite: str = ""
    retried: bool = False
    tolerated: bool = False

    def worsen(self, outcome: Outcome, message: str) -> None:
        """Take an outcome that is worse than what is known so far."""
        if _WORST.index(outcome) < _WORST.index(self.outcome):
            self.outcome = outcome
            self.message = message
        elif outcome == self.outcome and not self.message:
            self.message = message


@dataclass(frozen=True, slots=True)
class Junit:
    """What one file holds.

    Attributes:
        contradiction: A sentence where attributes say that more failed than the elements show; else empty.
        times: What it says of when it was made.
        maker: Whose tests are in it, where these never share a name: Go's within a package, pytest's at all.
    """

    cases: tuple[JunitCase, ...]
    contradiction: str
    times: tuple[str, ...]
    maker: Literal["", "go", "pytest"]


@dataclass(slots=True)
class _Suite:
    """A suite, or the root above suites, and what it and all below it hold."""

    attributes: Mapping[str, str]
    bad: int = 0


@dataclass(slots=True)
class _Open:
    """An element that has begun: what it is, the case or suite around its content, and its text so far."""

    tag: str
    case: JunitCase | None
    text: list[str] = field(default_factory=list[str])
    message: str = ""
    size: int = 0


class _Reader:
    """Takes the elements as the parser meets them."""

    def __init__(self) -> None:
        self._open: list[_Open] = []
        self._suites: list[_Suite] = []
        self.cases: list[JunitCase] = []
        self.contradiction = ""
        self.times: list[str] = []
        self.maker: Literal["", "go", "pytest"] = ""

    def doctype(self, name: str, public: str | None, system: str | None) -> None:
        """Refuse a document type before any of its entities is read."""
        del name, public, system
        raise ReportError("the JUnit report has a document type declaration, which is refused")

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        """Begin an element."""
        tag = name.rpartition("}")[2]
        if not self._open and tag not in {"testsuites", "testsuite"}:
            raise ReportError(f"the JUnit report cannot be read: its root is <{tag[:40]}>")
        if len(self._open) >= _DEEPEST:
            raise ReportError("the JUnit report is nested too deep")
        one = _Open(tag, None, message=attributes.get("message", ""))
        if tag in {"testsuites", "testsuite"}:
            self._suites.append(_Suite(dict(attributes)))
            if attributes.get("name") == "pytest tests" and len(self._suites) == 1:
                self.maker = "pytest"
            self.times += [attributes["timestamp"][:100]] if "timestamp" in attributes else []
        elif tag == "testcase":
            one.case = _begun(attributes)
            self._place(one.case, attributes)
        elif tag == "property" and attributes.get("name") == "go.version":
            self.maker = "go"
        elif tag in _EARLIER and self._open[-1].case is not None:
            self._open[-1].case.retried = True
        self._open.append(one)

    def data(self, text: str) -> None:
        """Keep the beginning of an element's text."""
        if self._open and self._open[-1].size < _KEPT and self._open[-1].tag in _BY_CHILD:
            self._open[-1].text.append(text[:_KEPT])
            self._open[-1].size += len(text)

    def end(self, name: str) -> None:
        """End an element, and put it to what it stands in."""
        del name
        one = self._open.pop()
        if one.case is not None:
            self._count(one.case)
        elif one.tag in {"testsuites", "testsuite"}:
            self._close_suite()
        elif one.tag in _BY_CHILD and self._open:
            self._outcome(one, self._open[-1])

    def close(self) -> None:
        """End the document."""

    def _outcome(self, child: _Open, around: _Open) -> None:
        outcome = _BY_CHILD[child.tag]
        message = (child.message or "".join(child.text).strip())[:_KEPT]
        if around.case is not None:
            if outcome != "skipped":
                self._suites[-1].bad += 1
            elif child.tag != "warning":  # PHPUnit's of a class without tests, or of a test that it doubts
                around.case.tolerated = True
            around.case.worsen(outcome, message)
        elif around.tag in {"testsuites", "testsuite"} and outcome != "skipped":
            # It concerns no case: the suite did not compile, its set-up failed, its process died.
            self._suites[-1].bad += 1
            case = JunitCase(f"{self._suites[-1].attributes.get('name', '')}::", 0.0, outcome, message)
            self._place(case, {})
            self._count(case)

    def _count(self, case: JunitCase) -> None:
        if case.tolerated and case.outcome == "failed":
            case.outcome = "skipped"
        if case.outcome == "passed" and len(self._open) == 1 and _OWN_FILE.match(case.name):
            return
        case.message = case.message if case.outcome in {"failed", "errors"} else ""
        self.cases.append(case)

    def _place(self, case: JunitCase, attributes: Mapping[str, str]) -> None:
        """Put to a case the suite around it, and its file: its own or that of the nearest suite that tells one."""
        around = [suite.attributes for suite in reversed(self._suites)]
        case.suite = next((one["name"] for one in around if one.get("name")), "")
        told = [one for each in (attributes, *around) if (one := each.get("file") or each.get("filepath"))]
        case.file = told[0] if told else ""

    def _close_suite(self) -> None:
        suite = self._suites.pop()
        self._compare(suite)
        if self._suites:
            self._suites[-1].bad += suite.bad

    def _compare(self, suite: _Suite) -> None:
        """Note where a suite says that more failed than its elements show.

        Other counts prove nothing: pytest counts subtests and Catch2 assertions that have no case, and tools nest
        suites in different ways.
        """
        bad = sum(_whole(suite.attributes.get(key)) for key in ("failures", "errors"))
        if bad > suite.bad and not self.contradiction:
            named = str(suite.attributes.get("name") or "")[:80]
            who = f"suite {named!r} of its report" if named else "its report"
            self.contradiction = (
                f"{who} says that {bad} failed, and its cases show {suite.bad}: attributes and cases disagree"
            )


def _begun(attributes: Mapping[str, str]) -> JunitCase:
    name = f"{attributes.get('classname', '')}::{attributes.get('name', '')}"
    case = JunitCase(name, _duration(attributes.get("time", "")), "passed")
    for key in ("status", "result"):
        word = re.sub(r"[\s_-]", "", attributes.get(key, "")).lower()
        case.worsen(_BY_WORD.get(word, "passed"), attributes.get("failure", "")[:_KEPT])
    return case


def _whole(value: str | None) -> int:
    """Return a count, 0 for what is none."""
    digits = re.fullmatch(r"\s{0,9}(\d[\d,]{0,20})(?:\.0{1,9})?\s{0,9}", value or "")
    return int(digits.group(1).replace(",", "")) if digits else 0


def _duration(value: str) -> float:
    """Return seconds; 0 for what cannot be read, since no duration decides anything."""
    found = _DURATION.fullmatch(value.strip())
    if not found or found.group(2) not in _UNITS:
        return 0.0
    digits = found.group(1)
    # A comma parts thousands where a point follows, or groups of three do; else it is the decimal one.
    grouped = "." in digits or re.fullmatch(r"\d{1,3}(?:,\d{3})+", digits)
    try:
        seconds = float(digits.replace(",", "" if grouped else ".")) * _UNITS[found.group(2)]
    except ValueError:
        return 0.0
    return seconds if math.isfinite(seconds) else 0.0
