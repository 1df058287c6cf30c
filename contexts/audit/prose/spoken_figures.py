"""Arithmetic of figures in one sentence: shares, rates and products that their own numbers do not give."""

from __future__ import annotations

import re
from collections.abc import Iterator

from contexts.english.number_words import in_digits
from contexts.english.quantities import as_quantity, unit_of
from contexts.english.subjects import stem

_N = r"(?:\d{1,3}(?:[, \u00a0\u202f]\d{3}){1,4}|\d{1,12})(?:\.\d{1,6})?"
_T = r"s|secs?|seconds?|mins?|minutes?|h|hours?"
_THEN = (
    r"[,:;(=\u2192\s]{0,3}(?:(?:which|that|so|thus|hence|or|is|are|was|were|makes?|made|gives?|gave|equals?|then|i\.e\."
    r"|(?P<about>about|around|roughly|nearly|almost|some|~|\u2248))[,:\s]{0,2}){0,4}"
)
# More words may make the figure one of something else.
_ENDS = r"(?=\s{0,2}(?:[.;:,()\u2705\n]|\Z|and\b))"
_RATE = re.compile(
    rf"(?<![\w.,])(?P<n>{_N}) (?P<noun>[a-z-]{{3,24}}) (?:[a-z]{{2,12}} ){{0,2}}?(?:in|within|over|during) "
    rf"(?P<t>{_N})\s?(?P<tu>{_T})\b{_THEN}(?P<r>{_N}) "
    rf"(?P<noun2>[a-z-]{{3,24}})(?:\s?/\s?| per | a )(?P<ru>{_T}){_ENDS}",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    rf"(?<![\w.,])(?P<r>{_N}) (?P<noun>[a-z-]{{3,24}})(?:\s?/\s?| per | a )(?P<ru>{_T}) (?:for|over|during) "
    rf"(?P<t>{_N})\s?(?P<tu>{_T})\b{_THEN}(?P<n>{_N}) (?P<noun2>[a-z-]{{3,24}}){_ENDS}",
    re.IGNORECASE,
)
_EACH = re.compile(
    rf"(?<![\w.,])(?P<n>{_N}) [a-z-]{{2,24}}(?: [a-z-]{{2,24}})? (?:of|times|x|\u00d7) (?P<each>{_N})"
    rf"\s?(?P<u>[A-Za-z]{{1,12}})(?: each)?{_THEN}(?P<all>{_N})\s?(?P<u2>[A-Za-z]{{1,12}}) "
    rf"(?:in all|in total|altogether|together|in sum|total|overall){_ENDS}",
    re.IGNORECASE,
)
# A share after its numbers, closed by a sign or the end: words after it may make it the share of something else.
_SHARE_AFTER = re.compile(
    rf"(?<![\w.,/])(?P<part>{_N}) (?:of|out of) (?P<whole>{_N})(?: [a-z-]{{2,24}}){{0,5}}, "
    r"(?P<p>\d{1,3}(?:\.\d{1,4})?)\s?(?:%|percent\b)\s{0,2}(?=[(.;\u2705]|\Z)",
    re.IGNORECASE,
)
_SHARE_BEFORE = re.compile(
    rf"(?<![\w.,])(?P<p>\d{{1,3}}(?:\.\d{{1,4}})?)\s?(?:%|percent) of (?:[a-z-]{{2,24}} ){{0,5}}"
    rf"(?P<noun>[a-z-]{{2,24}}) \((?P<part>{_N}) of (?P<whole>{_N})(?: (?P<noun2>[a-z-]{{2,24}}))?\)",
    re.IGNORECASE,
)
SIGNAL = re.compile(r"n \d|r \d|g \d|of \d|times \d|x \d|\u00d7 \d|%|percent|per cent")
"""What a text, in lower case, must hold for its figures to contradict each other."""
_OTHER_SHARE = re.compile(r"cover", re.IGNORECASE)


def contradictions(text: str) -> Iterator[str]:
    """Yield, as sentences, what figures of a text do not give though it says so; in doubt nothing.

    Args:
        text: Prose; its first 1,000 characters are read.
    """
    words = in_digits(text[:1_000])
    if "%" in words or "percent" in words:
        yield from _shares(words)
    for match in _RATE.finditer(words):
        exact = _value(match, "n") / _time(match, "t", "tu") * _seconds(match.group("ru")) if _value(match, "t") else 0
        if exact and _same_noun(match) and _differ(match, "r", exact):
            shown = f"{match.group('n')} in {match.group('t')} {match.group('tu')}"
            yield f"{shown} are {exact:,.4g} per {match.group('ru')}, not {match.group('r')}"
    for match in _AMOUNT.finditer(words):
        exact = _value(match, "r") * _time(match, "t", "tu") / _seconds(match.group("ru"))
        if _same_noun(match) and _differ(match, "n", exact):
            shown = f"{match.group('r')} for {match.group('t')} {match.group('tu')}"
            yield f"{shown} are {exact:,.10g}, not {match.group('n')}"
    for match in _EACH.finditer(words):
        (dimension, factor), (whole_dimension, whole_factor) = unit_of(match.group("u")), unit_of(match.group("u2"))
        named = dimension != "count" or stem(match.group("u").lower()) == stem(match.group("u2").lower())
        exact = _value(match, "n") * _value(match, "each") * factor / whole_factor
        if named and dimension == whole_dimension and _differ(match, "all", exact):
            shown = f"{match.group('n')} of {match.group('each')} {match.group('u')}"
            yield f"{shown} are {exact:,.10g} {match.group('u2')}, not {match.group('all')}"


def _shares(words: str) -> Iterator[str]:
    for pattern in (_SHARE_AFTER, _SHARE_BEFORE):
        for match in pattern.finditer(words):
            part, whole = _value(match, "part"), _value(match, "whole")
            stated = as_quantity(_value(match, "p"), "%")
            step = 0.5 * 10.0 ** -len(match.group("p").partition(".")[2])
            if pattern is _SHARE_AFTER:
                another = bool(_OTHER_SHARE.search(match.group()))
            else:
                another = bool(match.group("noun2")) and not _same_noun(match)
            if whole and not another and abs(stated.value - 100 * part / whole) >= 2 * step * (1 + 1e-9):
                yield f"{part:.10g} of {whole:.10g} is {100 * part / whole:.4g}%, not {stated.value:g}%"


def _value(match: re.Match[str], name: str) -> float:
    return float(re.sub(r"[^\d.]", "", match.group(name)))


def _seconds(unit: str) -> float:
    return {"s": 1.0, "m": 60.0, "h": 3600.0}[unit[0].lower()]


def _time(match: re.Match[str], amount: str, unit: str) -> float:
    return _value(match, amount) * _seconds(match.group(unit))


def _same_noun(match: re.Match[str]) -> bool:
    return stem(match.group("noun").lower()) == stem(match.group("noun2").lower())


def _differ(match: re.Match[str], name: str, exact: float) -> bool:
    """Tell whether a stated figure is another than the exact one, rounded as it was written."""
    shown = re.sub(r"[^\d.]", "", match.group(name))
    digits = shown.rstrip("0") if "." not in shown else shown
    written = 0.5 * 10.0 ** (len(shown) - len(digits)) if "." not in shown else 10.0 ** -len(shown.partition(".")[2])
    allowed = max(0.01 * exact, min(2 * written, 0.05 * exact), 0.1 * exact if match.group("about") else 0.0)
    return abs(float(shown) - exact) > allowed
