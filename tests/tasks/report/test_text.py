"""Text of agents, made safe to look at."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contexts.text.amounts import duration, size
from contexts.text.visible import show_invisible
from tasks.report.bounds import listed
from tasks.report.render import shown
from tasks.report.text import cut, instant, number, plain, sentence


def test_a_bidi_override_is_shown_by_its_name():
    assert show_invisible("cod\u202egnp.exe") == "cod\u2039U+202E\u203agnp.exe"


def test_an_escape_sequence_is_shown_by_its_name():
    assert show_invisible("\x1b[31mred\x07") == "\u2039U+001B\u203a[31mred\u2039U+0007\u203a"


def test_lines_tabs_and_other_scripts_stay_as_they_are():
    text = "eins\n\tzwei שלום 你好 👩‍👩‍👧 fin"
    assert show_invisible(text) == text


UNSEEN = [
    0x00AD, 0x034F, 0x061C, 0x115F, 0x17B4, *range(0x180B, 0x1810), 0x200B, 0x2028, 0x202E, *range(0x2060, 0x2070), 0x2800,
    0x3164, *range(0xFE00, 0xFE0F), 0xFEFF, 0xFFA0, *range(0xFFF9, 0xFFFC), *range(0x13430, 0x13439), *range(0x1BCA0, 0x1BCA4),
    *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE01F0),
]  # fmt: skip


def test_what_no_font_draws_is_shown_by_its_name():
    assert [code for code in UNSEEN if show_invisible(f"a{chr(code)}b") != f"a\u2039U+{code:04X}\u203ab"] == []


def test_no_control_or_format_character_but_what_scripts_and_emoji_need_is_left_invisible():
    every = [chr(code) for code in range(sys.maxunicode + 1)]
    left = {
        one
        for one in every
        if unicodedata.category(one) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and show_invisible(one) == one
    }
    signs = {*map(chr, range(0x600, 0x606)), *"\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"}
    assert left == {"\n", "\t", "\u200c", "\u200d"} | signs


def test_emoji_keep_their_selector_and_joiners():
    assert (
        show_invisible("\u2764\ufe0f \U0001f468\u200d\U0001f469 \u0646\u200c\u0645")
        == "\u2764\ufe0f \U0001f468\u200d\U0001f469 \u0646\u200c\u0645"
    )


@given(st.text())
def test_making_text_visible_twice_changes_nothing_more(text: str):
    assert show_invisible(show_invisible(text)) == show_invisible(text)


@given(st.text())
def test_what_a_template_prints_has_no_character_that_markup_is_made_of(text: str):
    printed = str(shown(text))
    assert not set("<>\"'") & set(printed)


def test_a_huge_text_is_cut_and_says_how_long_it_was():
    assert cut("x" * 5000, 10) == "xxxxxxxxxx … [cut: 5,000 characters in all]"


def test_any_json_value_becomes_text():
    assert [plain(one) for one in (None, "a", 3, True, ["b"], {"c": 1})] == ["", "a", "3", "true", '["b"]', '{"c":1}']


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "40 ms"),
        (7.5, "7.5 s"),
        (60, "1 min"),
        (59.97, "1 min"),
        (125, "2 min 5 s"),
        (3780, "1 h 3 min"),
        (187200, "2 d 4 h"),
    ],
)
def test_a_duration_is_said_as_people_say_it(seconds: float, words: str):
    assert duration(seconds) == words


def test_sizes_count_a_kilobyte_as_the_limits_of_documents_do():
    assert [size(one) for one in (999, 100 * 1024, 5 * 1024 * 1024)] == ["999 B", "100 KB", "5.0 MB"]


@pytest.mark.parametrize("given_", ["<script>", "2026-01-01T00:00:00", None, 5, {}])
def test_what_is_no_instant_is_no_time(given_: object):
    assert instant(given_) is None


@pytest.mark.parametrize("given_", ["7", None, True, float("inf"), 1e300])
def test_what_is_no_usable_number_counts_nothing(given_: object):
    assert number(given_) == 0.0


def test_a_list_above_its_budget_keeps_its_beginning_and_its_length():
    kept = listed(["x" * 1000] * 50, str, most=40, budget=10_000)
    assert kept.total == 50
    assert 0 < len(kept.shown) < 12
    assert kept.hidden == 50 - len(kept.shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("required track docs failed", "Required track docs failed"),
        ("config.env:1 holds a secret value", "config.env:1 holds a secret value"),
        ("secrets/value-in-file: config.env:1", "secrets/value-in-file: config.env:1"),
        ("coverage is 100.00 %, target > 90 %", "Coverage is 100.00 %, target > 90 %"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital_but_a_name_is_left_as_it_is(text: str, shown: str) -> None:
    assert sentence(text) == shown
