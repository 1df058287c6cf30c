"""Percentages written out in words, such as ``eighty-four percent``."""

from __future__ import annotations

import re

_ONES = {
    word: value
    for value, word in enumerate(
        """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
        seventeen eighteen nineteen""".split()  # noqa: SIM905 - a paragraph reads better than twenty quoted words
    )
}
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), start=2
    )
}
_SHARES = {"half": 0.5, "quarter": 0.25, "fifth": 0.2, "tenth": 0.1, "hundredth": 0.01}
_SPOKEN = re.compile(
    rf"\b(?:(?P<tens>{'|'.join(_TENS)})(?:[- ](?P<unit>{'|'.join(list(_ONES)[1:10])}))?|(?P<ones>{'|'.join(_ONES)})"
    r"|(?P<hundred>(?:one |a )?hundred)|(?P<share>half|(?:a|one) (?:quarter|fifth|tenth|hundredth) of)(?: an?| one)?)"
    r"[ ](?=per ?cent\b)",
    re.IGNORECASE,
)


def in_digits(text: str) -> str:
    """Write the percentages of a text in digits; other numbers in words count things and stay."""
    if "percent" not in text and "per cent" not in text:
        return text
    return _SPOKEN.sub(_digits, text)


def _digits(match: re.Match[str]) -> str:
    share = match.group("share")
    if share:
        return f"{_SHARES[share.lower().removesuffix(' of').rsplit(' ', 1)[-1]]:g} "
    if match.group("hundred"):
        return "100 "
    if match.group("ones"):
        return f"{_ONES[match.group('ones').lower()]} "
    return f"{_TENS[match.group('tens').lower()] + _ONES.get((match.group('unit') or 'zero').lower(), 0)} "
