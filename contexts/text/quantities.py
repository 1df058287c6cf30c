"""Read quantities in words: values with units, percentiles, comparators, targets and ticks.

Everything here is linear: one tokenizer whose alternatives are bounded, then one pass over the tokens.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from contexts.text.number_words import in_digits

Dimension = Literal["time", "percent", "size", "rate", "bandwidth", "ratio", "count"]
COMPARISONS: dict[str, Literal["<", "<=", ">", ">="]] = {"<": "<", "<=": "<=", ">": ">", ">=": ">="}
_UNITS: dict[str, tuple[Dimension, float]] = {
    **dict.fromkeys(("us", "µs", "μs", "microseconds", "microsecond"), ("time", 0.001)),
    **dict.fromkeys(("ms", "msec", "millisecond", "milliseconds"), ("time", 1.0)),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), ("time", 1_000.0)),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes"), ("time", 60_000.0)),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), ("time", 3_600_000.0)),
    **dict.fromkeys(("d", "day", "days"), ("time", 86_400_000.0)),
    **dict.fromkeys(("%", "percent", "pct"), ("percent", 1.0)),
    **dict.fromkeys(("b", "byte", "bytes"), ("size", 1.0)),
    **dict.fromkeys(("kb", "kib"), ("size", 1024.0)),
    **dict.fromkeys(("mb", "mib"), ("size", 1024.0**2)),
    **dict.fromkeys(("gb", "gib"), ("size", 1024.0**3)),
    **dict.fromkeys(
        ("rps", "qps", "tps", "req/s", "requests/s", "ops/s", "events/s", "msg/s", "msgs/s"), ("rate", 1.0)
    ),
    **dict.fromkeys(("messages/s", "rows/s", "records/s", "docs/s", "jobs/s", "/s", "rpm", "req/min"), ("rate", 1.0)),
    **dict.fromkeys(("x", "\u00d7"), ("ratio", 1.0)),
}
_UNITS["rpm"] = _UNITS["req/min"] = ("rate", 1 / 60)
# A small b alone is read as a bit by some and as a byte by others: it stays a bare number.
_BANDWIDTH = re.compile(r"([kKMG]?)(i?)(bits?|B|[Bb]ytes?)(?:/s|/sec|ps| per second)")
_UNIT = "|".join(sorted((re.escape(unit) for unit in _UNITS), key=len, reverse=True))
_TOKEN = re.compile(
    r"(?P<stat>\b(?:p ?\d{2,3}(?:\.\d{1,3})?|\d{2}(?:th|st|nd|rd) percentile|median|avg|average|mean|maximum|max"
    r"|minimum|min|worst|peak)\b)|"
    rf"(?P<number>(?<![\w.])\d{{1,3}}(?:,\d{{3}}){{1,4}}(?:\.\d{{1,9}})?(?![\d,])|(?<![\w.])\d{{1,15}}(?:\.\d{{1,9}})?)"
    rf"(?:[ \t\u00a0-]?(?P<unit>[a-z]{{1,20}}(?:/(?:s|sec|min|h)| per (?:second|minute|hour))|{_UNIT})(?![\w]))?"
    r"|(?P<compare><=|>=|=<|=>|<|>|≤|≥|\b(?:under|below|less than|fewer than|at most|no more than|not more than"
    r"|up to|within|"
    r"over|above|more than|greater than|at least|no less than|not less than|no fewer than|exceeds?|or less|or more)\b)"
    r"|(?P<target>\b(?:targets?|goal|budget|limit|threshold|slo|sla|required|requirement|requires?|must|should|expected|allowed|"
    r"criterion|needed|needs?|objective|ceiling|cap|baseline)\b)"
    r"|(?P<measure>\b(?:measured|actual|observed|got|was|now|current|currently|result|achieved|reached|reports?)\b)"
    r"|(?P<sign>[,;|()\[\]\n:=/]|\u2013|—|->|→)"
    r"|(?P<word>[^\W\d_]{1,40})",
    re.IGNORECASE,
)
_AT_MOST = {"<=", "=<", "≤", "at most", "no more than", "not more than", "up to", "within", "or less"}
_LESS = {"<", "under", "below", "less than", "fewer than"}
_AT_LEAST = {">=", "=>", "≥", "at least", "no less than", "not less than", "no fewer than", "or more"}
_MORE = {">", "over", "above", "more than", "greater than"}
_TICK = re.compile(r"[✅✓✔☑]|\[x\]|\b(?:pass(?:ed|es)?|met|ok|achieved|within target|on target)\b", re.IGNORECASE)
_CROSS = re.compile(
    r"[❌✗✘✖⚠]|\b(?:fail(?:ed|s|ing)?|not (?:yet )?met|unmet|missed|misses|exceed(?:s|ed)|violat(?:es|ed)|not ok"
    r"|too slow|regress\w{0,6})\b",
    re.IGNORECASE,
)
_SCORE = re.compile(r"\bscores?(?:\s?[:=]|\s(?:of|is|was))?\s?\Z", re.IGNORECASE)
_LOW_IS_GOOD = re.compile(
    r"error|fail|loss|lost|drop|cpu|memory|miss|churn|bounce|flak|latency|duplicat|vulnerab|regress", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit.

    Attributes:
        base: The value in milliseconds, percent, bytes, per second, or as it is.
        step: Half of the last written digit, in the same unit as ``base``: what rounding may have hidden.
    """

    value: float
    unit: str
    dimension: Dimension
    base: float
    step: float
    start: int = 0
    end: int = 0

    def __str__(self) -> str:
        space = " " if len(self.unit) > 3 else ""
        return f"{self.value:g}{space}{self.unit}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A target: ``<``, ``<=``, ``>`` or ``>=`` a quantity, for one statistic if one is named."""

    compare: Literal["<", "<=", ">", ">="]
    quantity: Quantity
    statistic: str = ""

    def allows(self, value: float) -> bool:
        """Tell whether a value (in base units) meets the target."""
        limit = self.quantity.base
        return {"<": value < limit, "<=": value <= limit, ">": value > limit, ">=": value >= limit}[self.compare]

    @property
    def upper(self) -> bool:
        """Tell whether less is better."""
        return self.compare.startswith("<")

    def looser_than(self, other: Bound) -> bool:
        """Tell whether this target accepts what the other refuses."""
        if self.upper != other.upper or self.quantity.dimension != other.quantity.dimension:
            return False
        return self.quantity.base > other.quantity.base if self.upper else self.quantity.base < other.quantity.base

    def __str__(self) -> str:
        return f"{self.statistic + ' ' if self.statistic else ''}{self.compare}{self.quantity}"


@dataclass(frozen=True, slots=True)
class Measured:
    """A measured value, for one statistic if one is named."""

    quantity: Quantity
    statistic: str = ""

    def __str__(self) -> str:
        return f"{self.statistic + ' ' if self.statistic else ''}{self.quantity}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text says: measured values, targets, and whether its author calls it met (None: neither)."""

    measured: tuple[Measured, ...]
    bounds: tuple[Bound, ...]
    ticked: bool | None


def _quantity(number: str, unit: str | None, start: int, end: int) -> Quantity:
    digits = number.replace(",", "")
    decimals = len(digits.partition(".")[2])
    dimension, factor = _unit_of(unit or "")
    value = float(digits)
    return Quantity(value, unit or "", dimension, value * factor, 0.5 * 10.0**-decimals * factor, start, end)


def _unit_of(unit: str) -> tuple[Dimension, float]:
    """Return what a unit measures and its size in the base unit; ``rows/min`` and ``rows per minute`` are rates."""
    lower = unit.lower().strip()
    known = _UNITS.get(lower)
    if known is not None:
        return known
    data = _BANDWIDTH.fullmatch(unit.strip())
    if data is not None:
        prefix, binary, word = data.groups()
        step = 1024.0 if binary else 1000.0
        return "bandwidth", step ** " kmg".index(prefix.lower() or " ") / (8 if word.startswith("bit") else 1)
    per = re.fullmatch(r"[a-z ]{0,20}(?:/| per )(s|sec|second|min|minute|h|hour)", lower)
    if per is not None:
        return "rate", {"s": 1.0, "sec": 1.0, "second": 1.0, "h": 1 / 3600, "hour": 1 / 3600}.get(per.group(1), 1 / 60)
    return "count", 1.0


def quantities(text: str) -> tuple[Quantity, ...]:
    """Return every number of a text with its unit, in order."""
    return tuple(
        _quantity(match.group("number"), match.group("unit"), match.start(), match.end())
        for match in _TOKEN.finditer(text)
        if match.group("number")
    )


def statistic_name(word: str) -> str:
    """Bring ``p95``, ``P 95``, ``95th percentile``, ``median``, ``average`` to one spelling."""
    lower = word.lower().replace(" ", "")
    if lower.endswith("percentile"):
        return f"p{lower[:2]}"
    same = {
        "average": "avg",
        "mean": "avg",
        "median": "p50",
        "maximum": "max",
        "minimum": "min",
        "worst": "max",
        "peak": "max",
    }
    return same.get(lower, lower)


def read(text: str, *, bare_is: Literal["measured", "target"] = "measured") -> Reading:
    """Read measured values and targets out of one text.

    Args:
        text: Prose, at most a few thousand characters.
        bare_is: What a value without comparator and without a word like ``target`` is.
    """
    measured, bounds = list[Measured](), list[Bound]()
    text = in_digits(text)
    for item in _items(text, bare_is):
        (measured if isinstance(item, Measured) else bounds).append(item)  # pyright: ignore[reportArgumentType]
    return Reading(tuple(measured), tuple(bounds), verdict(text))


def verdict(text: str) -> bool | None:
    """Return whether a text calls itself met; None where it says neither, or both."""
    good, bad = _TICK.search(text), _CROSS.search(text)
    return None if bool(good) == bool(bad) else bool(good)


def _items(text: str, bare_is: str) -> Iterator[Measured | Bound]:
    tokens = list(_TOKEN.finditer(text))
    waiting = list[str]()
    op, target, depth_target = "", bare_is == "target", False
    for at, match in enumerate(tokens):
        kind = str(match.lastgroup) if match.lastgroup != "unit" else "number"
        word = match.group().lower()
        if kind == "stat":
            if not _is_trailing(tokens, at):
                waiting.append(statistic_name(word))
        elif kind == "compare":
            op = word
        elif kind == "target":
            target = True
        elif kind == "measure":
            target, op = False, ""
        elif kind == "sign":
            if word in {",", ";", "|", "\n", ")"}:
                target, op = bare_is == "target" or (depth_target and word == ","), ""
                if word in {";", "|", "\n"}:
                    waiting.clear()
            depth_target = depth_target and word != ")"
        elif kind == "number":
            item = _read_number(tokens, at, waiting, op, target=target, text=text)
            op = ""
            if item is not None:
                yield item


def _read_number(
    tokens: Sequence[re.Match[str]], at: int, waiting: list[str], op: str, *, target: bool, text: str
) -> Measured | Bound | None:
    match = tokens[at]
    unit = match.group("unit")
    if unit is None and len(waiting) > 1:
        unit = next((t.group("unit") for t in tokens[at + 1 : at + 2 * len(waiting)] if t.group("unit")), None)
    quantity = _quantity(match.group("number"), unit, match.start(), match.end())
    statistic = waiting.pop(0) if waiting else _after(tokens, at)
    trailing = text[match.end() : match.end() + 9].lower().strip()
    if trailing.startswith(("or less", "or more")):
        op = trailing[:7]
    if op.startswith("exceed") or (op == "over" and quantity.dimension == "time"):
        return None
    if quantity.dimension == "count" and not op and not _SCORE.search(text[max(0, match.start() - 24) : match.start()]):
        return None
    if quantity.dimension == "time" and unit == "m":
        return None  # "m" is metres or million as often as minutes
    if op or target:
        return Bound(_direction(op, quantity, text), quantity, statistic)
    return Measured(quantity, statistic)


def _direction(op: str, quantity: Quantity, text: str) -> Literal["<", "<=", ">", ">="]:
    if op in _LESS:
        return "<"
    if op in _AT_MOST:
        return "<="
    if op in _MORE:
        return ">"
    if op in _AT_LEAST or quantity.dimension in {"rate", "ratio", "bandwidth"}:
        return ">="
    if quantity.dimension == "percent" and not _LOW_IS_GOOD.search(text):
        return ">="
    return "<="


def _is_trailing(tokens: Sequence[re.Match[str]], at: int) -> bool:
    """Tell whether a statistic belongs to the number before it (``85 ms P99``, ``85 ms (P99)``)."""
    before = at - 1
    if before >= 0 and tokens[before].group().lower() in {"(", "at"}:
        before -= 1
    if before < 0 or not tokens[before].group("number"):
        return False
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    return after is None or not (after.group("number") or after.group("compare") or after.group() in {":", "=", "/"})


def _after(tokens: Sequence[re.Match[str]], at: int) -> str:
    following = at + 1
    if following < len(tokens) and tokens[following].group().lower() in {"(", "at"}:
        following += 1
    if following < len(tokens) and tokens[following].group("stat") and _is_trailing(tokens, following):
        return statistic_name(tokens[following].group())
    return ""
