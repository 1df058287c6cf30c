"""Values that were handed over are found in whatever dress a shell, an encoder or the end of a line gave them."""

from __future__ import annotations

import base64
import json
import shlex
import subprocess
import urllib.parse

import pytest

from contexts.redaction import KnownLines, know, redact_text, without_known

PHRASE = "violet anchor 73 meadow tin"
SHELL = "kr$$9x`d`!vW'2\"q]Lz"
ENCODED = "pX4+nB7/wR2=sV9&cM5"
PLAIN = "Ny3Jb8Wc6Ve1Qx5Ud9Zk4Rm7Ts2Lf0Hg"


@pytest.fixture(autouse=True)
def _known() -> None:
    know({"A_PHRASE": PHRASE, "B_SHELL": SHELL, "C_ENCODED": ENCODED, "D_PLAIN": PLAIN})


@pytest.mark.parametrize("end", ["\n", " \n", "\n  ", "\r\n"])
def test_a_value_of_several_words_is_found_where_a_line_ends_between_them(end: str) -> None:
    for at in [place for place, letter in enumerate(PHRASE) if letter == " "]:
        assert without_known(f"say {PHRASE[:at]}{end}{PHRASE[at + 1 :]}.") == "say [redacted:env-a-phrase]."


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("command", ["export -p", "declare -p B", 'printf "%q\\n" "$B"', "set -x; : $B; set +x"])
def test_a_value_is_found_as_a_shell_quotes_it(command: str) -> None:
    said = subprocess.run(["bash", "-c", command], env={"B": SHELL}, capture_output=True, text=True, check=True)
    clean = without_known(said.stdout + said.stderr)
    assert "[redacted:env-b-shell]" in clean
    assert "9x" not in clean


def test_a_value_is_found_in_quotes_of_other_languages() -> None:
    for text in (shlex.quote(SHELL), SHELL.replace("'", "'\\''"), SHELL.replace("'", "''"), SHELL.replace('"', '""')):
        assert "9x" not in without_known(f"x={text}")


def test_an_encoded_value_is_found_where_a_line_ends_within_an_escape() -> None:
    for form in (
        urllib.parse.quote(ENCODED, safe=""),
        json.dumps(ENCODED).replace("+", "\\u002b").replace("&", "\\u0026"),
        ENCODED.replace("&", "&amp;").replace("+", "&#x2b;"),
    ):
        for at in range(1, len(form)):
            assert "nB7" not in without_known(f"{form[:at]}\n{form[at:]}"), form[:at]


def test_a_value_is_found_in_utf_16() -> None:
    for order in ("utf-16-le", "utf-16-be", "utf-16"):
        text = f"key = {PLAIN}\n".encode(order).decode("utf-8", "surrogateescape")
        assert "J\0b" not in redact_text(text).text
    script = base64.b64encode(f"$k = '{PLAIN}'".encode("utf-16-le")).decode()
    assert "[redacted:env-d-plain]" in without_known(script)


@pytest.mark.parametrize("width", [1, 2, 3, 5, 31])
def test_a_value_in_many_short_lines_leaves_no_more_than_three_characters(width: int) -> None:
    said: list[str] = []
    lines = KnownLines(said.append)
    for at in range(0, len(PLAIN), width):
        lines.take(PLAIN[at : at + width])
    lines.take("done")
    lines.close()
    assert len("".join(line for line in said if not line.startswith("[redacted")).removesuffix("done")) <= 3
    assert said[-1] == "done"


def test_a_value_over_indented_lines_or_words_is_waited_for() -> None:
    said: list[str] = []
    lines = KnownLines(said.append)
    for line in (PLAIN[:10], f"   {PLAIN[10:20]}", f"   {PLAIN[20:]}", "violet anchor", "73 meadow", "tin", "done"):
        lines.take(line)
    lines.close()
    assert said == ["[redacted:env-d-plain]", "[redacted:env-a-phrase]", "done"]
