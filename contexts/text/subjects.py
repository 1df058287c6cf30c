"""What a sentence is about: its content words, stemmed, without verbs of process, environments and filler."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_WORD = re.compile(
    r"[A-Z]{2,12}[0-9]{0,3}(?![a-z])|[A-Z]?[a-z]{1,40}[0-9]{0,4}|[A-Z][0-9]{1,3}|[0-9]{1,12}|[^\W\d_a-zA-Z]{1,40}"
)
_SUFFIXES = (
    "izations",
    "ization",
    "ations",
    "ation",
    "ating",
    "ated",
    "ates",
    "ities",
    "ments",
    "ment",
    "ings",
    "ing",
    "ions",
    "ion",
    "ies",
    "ity",
    "ate",
    "ers",
    "ed",
    "es",
    "er",
    "s",
    "e",
    "y",
)
_FILLER = frozenset(
    """a an and any are as at be been before after being but by can could did do does done each every for from had has
    have if in into is it its no not of on once only or our so some such than that the their them then there
    these they this those to up via was we were when where which while most least more less fewer than will with
    without yet all both between per also until against new other own same still must should would now out over
    under about
    """.split()  # noqa: SIM905 - a paragraph reads better than a hundred quoted words
)
_PROCESS = frozenset(
    """run add set configure configuration configured implement implemented implementation complete completed create
    created update updated make ensure verify verified verification check checks checked test tests tested
    testing passed pass passing passes fail failed write build built finish finished perform performed execute
    executed apply applied do enable enabled setup step steps manual manually wait waiting pending todo action
    actions task tasks work ready done status result results ok success successful successfully met prepare
    final finalize finalise required requirement requirements review reviewed item items track tracks phase
    feature features correctly working works work handled handle properly fully use uses used using get gets
    """.split()  # noqa: SIM905
)
_GENERIC = frozenset(
    """api apis endpoint endpoints code system service services app application component components user users data
    file files project environment environments env server client function module modules value values support
    full integration
    """.split()  # noqa: SIM905
)
_PLACES = {
    **dict.fromkeys(("production", "prod", "live"), "production"),
    **dict.fromkeys(("staging", "stage", "preprod", "preview", "uat"), "staging"),
    **dict.fromkeys(("development", "dev", "local", "locally", "localhost", "sandbox"), "development"),
    **dict.fromkeys(("demo", "showcase"), "demo"),
    "ci": "ci",
}
_LATER = frozenset(
    """monitor observe watch document docs documentation announce changelog retrospective train training notify
    celebrate runbook guide tutorial blog alert alerts alerting dashboard dashboards
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Subject:
    """What a sentence is about.

    Attributes:
        stems: Stems of content words.
        names: Stems that were written like names: acronyms, words with digits.
        places: Environments it names.
        later: It is about watching, announcing or documenting, which follows a pass without contradicting it.
    """

    stems: frozenset[str]
    names: frozenset[str]
    places: frozenset[str]
    later: bool


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Cut endings so that ``configure``, ``configured`` and ``configuration`` meet; at least four letters stay."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 4:
            return word[: -len(suffix)]
    return word


_DROPPED = (
    frozenset(stem(word) for word in _PROCESS)
    | frozenset(stem(word) for word in _GENERIC)
    | _FILLER
    | _PROCESS
    | _GENERIC
)
_LATER_STEMS = frozenset(stem(word) for word in _LATER)


@lru_cache(maxsize=20_000)
def subject(text: str) -> Subject:
    """Return what a text (its first 600 characters) is about."""
    stems, names, places = set[str](), set[str](), set[str]()
    later = False
    for match in _WORD.finditer(text[:600]):
        raw = match.group()
        word = raw.lower()
        cut = stem(word)
        if word in _PLACES:
            places.add(_PLACES[word])
            continue
        later = later or cut in _LATER_STEMS
        if word in _DROPPED or cut in _DROPPED or (len(word) < 2) or word.isdigit():
            continue
        stems.add(cut)
        if (raw.isupper() and len(raw) > 1) or any(sign.isdigit() for sign in raw):
            names.add(cut)
    return Subject(frozenset(stems), frozenset(names), frozenset(places), later)


def same_subject(one: str, other: str, common: frozenset[str] = frozenset()) -> bool:
    """Tell whether a claim and an open action are about the same thing, by content words; in doubt they are not.

    Args:
        one: The claim.
        other: The open action; one that is left for an environment the claim does not speak of contradicts it only
            where both use a proper name.
        common: Stems that half of the workflow is about, and that distinguish nothing.
    """
    a, b = subject(one), subject(other)
    if a.later != b.later or (a.places and b.places and not a.places & b.places):
        return False
    mine, theirs = a.stems - common, b.stems - common
    shared = mine & theirs
    smaller = min(len(mine), len(theirs))
    if not shared or (b.places - a.places and not shared & a.names & b.names):
        return False
    if len(shared) == 1:
        return mine == theirs or (smaller == 1 and len(mine | theirs) <= 2 and len(next(iter(shared))) >= 5)
    return len(shared) / smaller >= (0.5 if shared & a.names & b.names else 0.66)


@lru_cache(maxsize=50_000)
def plain(text: str) -> str:
    """Bring an item to the form in which equality is judged: NFC, single spaces, no end stop, no case."""
    line = " ".join((text if text.isascii() else unicodedata.normalize("NFC", text)).split()).casefold()
    return line.rstrip(".;, ")


def overlap(one: str, other: str) -> float:
    """Return how much of two texts' words is common, 0 to 1 (Jaccard)."""
    a, b = _bag(one), _bag(other)
    return len(a & b) / len(a | b) if a and b else 0.0


@lru_cache(maxsize=50_000)
def _bag(text: str) -> frozenset[str]:
    return frozenset(stem(match.group().lower()) for match in _WORD.finditer(text[:600])) - _FILLER
