"""Two ownership globs meet exactly when some path matches both."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contexts.plan.globs import MOST_WORK, meeting_pairs

SEGMENTS = ["".join(letters) for length in (1, 2, 3) for letters in itertools.product("ab", repeat=length)]
PATHS = [
    "/".join(parts)
    for depth in (1, 2, 3)
    for parts in itertools.product(SEGMENTS if depth == 1 else SEGMENTS[:6], repeat=depth)
]
segment = st.text("ab*?", min_size=1, max_size=3).filter(lambda part: "**" not in part)
patterns = st.lists(segment | st.just("**"), min_size=1, max_size=3).map("/".join)


def as_regex(pattern: str) -> re.Pattern[str]:
    """State the rule a second time, as a regular expression."""
    parts = pattern.split("/")
    if not set(pattern) & set("*?"):
        return re.compile(re.escape(pattern) + r"(/.+)?\Z")
    text = ""
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            text += ".+" if last else r"(?:[^/]+/)*"
        else:
            inside = "".join("[^/]*" if c == "*" else "[^/]" if c == "?" else re.escape(c) for c in part)
            text += f"(?=[^/]){inside}" + ("" if last else "/")
    return re.compile(text + r"\Z")


def intersect(one: str, other: str) -> bool:
    return one == other or bool(meeting_pairs([one, other]).pairs)


@given(patterns, patterns)
@settings(max_examples=125, deadline=None)
def test_patterns_meet_when_some_path_of_a_small_world_matches_both(one, other):
    witness = next((path for path in PATHS if as_regex(one).match(path) and as_regex(other).match(path)), None)
    if witness is not None:
        assert intersect(one, other), witness


short = st.text("ab*?", min_size=1, max_size=2).filter(lambda part: "**" not in part)
small = st.lists(short | st.just("**"), min_size=1, max_size=2).map("/".join)
# Two short patterns that meet do so in a path of at most four segments of at most four letters.
WIDE = ["".join(letters) for length in (1, 2, 3, 4) for letters in itertools.product("ab", repeat=length)]
SMALL_WORLD = [*WIDE, *("/".join(pair) for pair in itertools.product(WIDE, repeat=2))]
SMALL_WORLD += ["/".join(parts) for parts in itertools.product(("a", "b", "aa", "ab", "ba", "bb"), repeat=3)]


@given(small, small)
@settings(max_examples=125, deadline=None)
def test_patterns_that_meet_have_a_common_path(one, other):
    left, right = as_regex(one), as_regex(other)
    assert intersect(one, other) == any(left.match(path) and right.match(path) for path in SMALL_WORLD)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("api/**", "api/users.py", True),
        ("api/**", "web/**", False),
        ("**/*.py", "api/**", True),
        ("**/*.py", "**/*.ts", False),
        ("src/*", "src/a/b.py", False),
        ("src/**/test_*.py", "src/api/*_user.py", True),
        ("src", "src/a.py", True),
        ("src/", "src/a.py", True),
        ("src", "srcs/a.py", False),
        ("*.md", "docs/*.md", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("./a/b", "a//b", True),
        ("**", "anything/at/all", True),
        ("a/**/b", "a/b", True),
        ("a/**", "a", True),
        ("[ab]", "a", False),
        ("é*", "éa", True),
        ("src/api*", "src/api*/**/", True),
        ("src/a*/**/", "src/ab", True),
        ("src/*/**/", "lib/*", False),
    ],
)
def test_examples(one, other, meet):
    assert intersect(one, other) is meet


@given(st.lists(small, max_size=8))
@settings(deadline=None)
def test_the_index_of_folders_loses_no_pair(several):
    matched = {pattern: set(filter(as_regex(pattern).match, SMALL_WORLD)) for pattern in sorted(set(several))}
    every = {(one, other) for one, other in itertools.combinations(matched, 2) if matched[one] & matched[other]}
    found = meeting_pairs(several)
    assert (set(found.pairs), found.undecided) == (every, None)
    assert len(found.pairs) == len(every)


def test_hostile_patterns_do_not_backtrack():
    assert not intersect("*a" * 150 + "b?d", "*a" * 150 + "c?d")
    assert not intersect("/".join(["**", "a"] * 40 + ["b", "d"]), "/".join(["**", "a"] * 40 + ["c", "*d"]))


HOSTILE = {
    "stars": [f"{'*a' * 400}{number}*" for number in range(400)],
    "folders": [f"{'**/a*/' * 120}*{number}*" for number in range(300)],
    "segments": ["/".join(f"*{chr(0x4E00 + n)}" for n in range(332)) + f"/{number}*" for number in range(200)],
    "short": [f"*{number}*" for number in range(4000)],
    "names": [f"**/{number}.py" for number in range(6000)],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_however_many_patterns_there_are_comparing_them_ends(kind):
    found = meeting_pairs(HOSTILE[kind], most_work=MOST_WORK // 10)
    assert found.undecided is not None
    assert set(found.undecided) <= set(HOSTILE[kind])


def test_what_is_not_compared_any_more_is_told_and_what_was_is_kept():
    several = [f"*{number}*" for number in range(20)]
    whole = meeting_pairs(several)
    assert (len(whole.pairs), whole.undecided) == (190, None)
    some = meeting_pairs(several, most_work=2_000)
    assert 0 < len(some.pairs) < 190
    assert some.pairs == whole.pairs[: len(some.pairs)]
    assert some.undecided == whole.pairs[len(some.pairs)]
    assert meeting_pairs(several, most_work=0).pairs == ()
