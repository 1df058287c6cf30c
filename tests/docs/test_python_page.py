"""What docs/reference/python.md says can be imported can be, and its programs run."""

import importlib
import re
import shutil
from pathlib import Path

import pytest

from tests.docs.commands import fences
from tests.servers import ROOT, Server

PAGE = ROOT / "docs" / "reference" / "python.md"
CORPUS = ROOT / "tests" / "contexts" / "audit" / "corpora" / "learning" / "clean"
IMPORTS = re.findall(r"`from ([\w.]+) import ([\w, ]+)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("module", "names"), IMPORTS)
def test_what_is_public_is_where_the_page_says(module: str, names: str) -> None:
    for name in names.split(", "):
        assert getattr(importlib.import_module(module), name).__module__.startswith(module.rsplit(".", 1)[0])


def test_the_programs_of_the_page_run_one_after_another(
    prefect_api: Server, workspaces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    shutil.copytree(CORPUS, "documents", ignore=shutil.ignore_patterns("expected.json"))
    shutil.copytree(ROOT / "flows" / "cli" / "templates" / "parallel", "words")
    programs = [body for _, language, _, body in fences(PAGE) if language == "python"]
    for program in [*programs[1:], programs[0]]:  # the first shows what the last stores
        exec(compile(program, str(PAGE), "exec"), {})
    said = capsys.readouterr().out
    assert re.search(r"^(whole|partial) \d+$", said, re.MULTILINE)
    assert "word-count Completed\n" in said
    assert "word-count 3 verified\n" in said
