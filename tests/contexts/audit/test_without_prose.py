"""The rules that read sentences are one package among others: without it the audit runs the rest."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import contexts
from contexts.audit import RULES
from contexts.audit.all_rules import load_rules

CODE = """
from contexts.audit import RULES
from contexts.audit.reference_page import judged

for rule in RULES.values():
    print(rule.id, *sorted({finding.rule for finding in judged(rule.example)}))
"""


@pytest.mark.usefixtures("outside")
def test_the_audit_runs_the_other_rules_where_those_that_read_sentences_are_left_out(tmp_path: Path) -> None:
    shutil.copytree(
        Path(contexts.__file__).parent, tmp_path / "contexts", ignore=shutil.ignore_patterns("prose", "__pycache__")
    )
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{CODE}"],
        capture_output=True, check=True, text=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    structured = sorted(one.id for one in RULES.values() if ".prose." not in one.find.__module__)
    assert sorted(done.stdout.splitlines()) == [f"{identity} {identity}" for identity in structured]


def test_a_package_of_rules_that_is_not_there_is_left_out() -> None:
    assert load_rules(("contexts.audit.no_such_rules",)) is RULES
