"""A text that is cut holds no half of a secret, wherever the cut falls."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from contexts.documents.lenient import MOST_TEXT, claimed, read_leniently
from contexts.redaction import head_of, know, redact, tail_of
from tasks.checks.junit import parse_junit
from tasks.sandbox.outcome import last_line
from tasks.sandbox.supervisor import MAX_LINE, run_supervised

VALUE = "Hq7Xw2Nf9Kd4Tz6Bv1Yc8Ms3Pj5Lr0Ga"
TOKEN = "ghp_" + "R4tY7uI1oP9aS3dF6gH2jK8lZ5xC0vB4nM7q"
SECRETS = (VALUE, TOKEN)


@pytest.fixture(autouse=True)
def _known() -> None:
    know({"CUT_TOKEN": VALUE})


def halves(text: str, secret: str) -> list[str]:
    beginnings = [secret[:size] for size in range(6, len(secret) + 1)]
    return [part for part in (*beginnings, *(secret[-len(one) :] for one in beginnings)) if part in text]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("kept", [1, 20, 31])
def test_a_head_and_a_tail_hold_the_whole_of_a_secret_or_nothing(secret: str, kept: int) -> None:
    text = f"{'word ' * 400}{secret}{' word' * 400}"
    assert halves(head_of(text, 2000 + kept), secret) == []
    assert halves(tail_of(text, 2000 + kept), secret) == []
    assert head_of(text, 2000 + len(secret)).endswith(secret)
    assert tail_of(text, 2000 + len(secret)).startswith(secret)


@pytest.mark.parametrize("secret", SECRETS)
def test_what_is_kept_of_a_text_that_is_no_document_holds_no_half_secret(secret: str) -> None:
    before = ("word " * MOST_TEXT)[: MOST_TEXT - len(secret) + 1]
    left = read_leniently(f"{before} {secret[:-1]}{secret[-1]} {'tail ' * 100}".replace("  ", " ").encode())
    assert halves(str(redact({"claims": left.claims}).value), secret) == []
    large = claimed({"text": before[13:] + secret + "word " * 3_000_000})
    assert halves(str(redact({"claims": large}).value), secret) == []


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("behind", range(8_170, 8_200, 7))
def test_the_last_line_of_a_log_does_not_begin_within_a_secret(tmp_path: Path, secret: str, behind: int) -> None:
    log = tmp_path / "log"
    for ahead in (10, 100_000):
        log.write_text(f"{'x' * ahead}{secret}{'y' * (behind - len(secret) // 2)}\n")
        assert halves(last_line(log, 100_000), secret) == []


def test_the_last_line_of_a_log_is_not_the_rest_of_a_value_over_two_lines(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(f"said {VALUE[:10]}\n{VALUE[10:]}\n")
    assert halves(last_line(log), VALUE) == []


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize("secret", SECRETS)
def test_a_live_line_and_a_log_at_its_limit_hold_no_half_secret(tmp_path: Path, secret: str) -> None:
    said: list[str] = []
    script = (
        "import sys\n"
        f"s = {secret!r}; half = len(s) // 2\n"
        f"print('x ' * (({MAX_LINE} - half) // 2) + s + ' tail' * 9)\n"
        "print('y ' * ((8000 - half) // 2) + s + ' tail' * 900)\n"
        "sys.stdout.write('\"' + (s + '\",\"') * 5000)\n"
    )
    outcome = run_supervised(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={},
        log=tmp_path / "log",
        deadline=None,
        max_log_bytes=60_000,
        on_line=said.append,
    )
    assert outcome.truncated
    for line in said:
        assert halves(str(redact(line).value), secret) == []
    kept = (tmp_path / "log").read_text()
    assert "output dropped here" in kept
    assert halves(str(redact(kept).value), secret) == []
    assert json.dumps(kept).count(secret) > 100


@pytest.mark.parametrize("secret", SECRETS)
def test_the_message_of_a_failed_test_is_not_cut_within_a_secret(secret: str) -> None:
    said = "word " * 98 + secret + " word" * 98
    report = f'<testsuite><testcase name="a"><failure message="{said}"/></testcase></testsuite>'
    assert halves(str(redact(parse_junit(report.encode()).to_json()).value), secret) == []
