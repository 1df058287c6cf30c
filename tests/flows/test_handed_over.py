"""A value that a spec hands over by ``env:NAME`` is nowhere but with the program that was given it."""

import base64
import json
import os
import re
import subprocess
import sys
import urllib.parse
from pathlib import Path

import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.flows.specs import git, make_repository
from tests.servers import ROOT, Server

pytestmark = pytest.mark.usefixtures("outside")

VALUE = 'Zq8-internal/7f3a+9c1e "5b2d'
AGENT = r"""
import base64, json, os, pathlib, sys, textwrap, urllib.parse
value = os.environ["OTHER"]
def b(text): return base64.b64encode(text.encode()).decode()
forms = {
    "plain": value,
    "base64": b(value), "base64-1": b("x" + value + "yy"), "base64-2": b("xy" + value + "z"),
    "urlsafe": base64.urlsafe_b64encode(("user:" + value).encode()).decode(),
    "percent": urllib.parse.quote(value), "all percent": urllib.parse.quote(value, safe=""),
    "plus": urllib.parse.quote_plus(value), "twice": urllib.parse.quote(urllib.parse.quote(value)),
    "JSON": json.dumps(value), "nested JSON": json.dumps(json.dumps({"v": value})), "hex": value.encode().hex(),
    "unicode": "".join(f"\\u{ord(c):04x}" for c in value),
    "two lines": value[:13] + "\n" + value[13:], "indented": value[:13] + "\n    " + value[13:],
    "wrapped": "\n".join(textwrap.wrap(b("some words before it and then " + value + " and after"), 20)),
}
for name, form in forms.items():
    print(name, form, flush=True)
    pathlib.Path(f"{name.replace(' ', '-')}.txt").write_text(f"it is {form}\n")
pathlib.Path("binary.bin").write_bytes(b"\0\xff" + value.encode() + b"\0")
pathlib.Path(base64.urlsafe_b64encode(value.encode()).decode() + ".txt").write_text("a name\n")
left = {
    "decisions": [{"topic": name, "choice": form, "rationale": "r"} for name, form in forms.items()],
    "notes": [value[:10], value[10:], {value: {"deep": [[f"it is {value}"]]}}],
}
pathlib.Path(os.environ["PLAIT_CONTEXT"]).write_text(json.dumps(left))
if sys.argv[1:] == ["fail"]:
    print("cannot log in with", value, "and", b(value))
    sys.exit(1)
"""
MAIN = "import sys; from flows.cli import main; sys.exit(main())"
CHECK = 'import os; print("connecting with", os.environ["MYKEY"]); raise SystemExit("no: " + os.environ["MYKEY"])'


def forms() -> list[bytes]:
    """What must be found nowhere."""
    raw = VALUE.encode()
    shown = [VALUE, json.dumps(VALUE)[1:-1], urllib.parse.quote(VALUE), urllib.parse.quote(VALUE, safe=""), raw.hex()]
    shown += [urllib.parse.quote_plus(VALUE), VALUE.replace('"', "&#34;"), VALUE.replace('"', "&quot;")]
    for ahead in range(3):
        whole = base64.b64encode(b"\0" * ahead + raw).decode()[4:-4]
        shown += [whole, whole.replace("+", "-").replace("/", "_")]
    # Half of it, where lines are broken.
    return [form.encode() for form in (*shown, VALUE[:12], VALUE[14:])]


def every_object(repository: Path) -> bytes:
    """Return the content of everything that is in a repository."""
    return subprocess.run(
        ["git", "cat-file", "--batch", "--batch-all-objects"], cwd=repository, capture_output=True, check=True
    ).stdout


def test_a_value_that_was_handed_over_is_found_nowhere_in_any_dress(prefect_server: Server, tmp_path: Path) -> None:
    repository = make_repository(tmp_path / "repository", a__txt="a\n")
    (tmp_path / "agent.py").write_text(AGENT, encoding="utf-8")
    argv = ["{python}", "{spec_dir}/agent.py"]
    spec = {
        "workflow_id": "handed",
        "repository": {"path": "repository"},
        "agents": {
            "writer": {"backend": "command", "argv": argv, "env": {"OTHER": "env:MYKEY"}},
            "failing": {"backend": "command", "argv": [*argv, "fail"], "env": {"OTHER": "env:MYKEY"}},
        },
        "parallel_tasks": [
            {"task_id": name, "agent": name, "required": name == "writer", "timeout_minutes": 2}
            for name in ("writer", "failing")
        ],
        "verification": {"checks": [{"id": "login", "argv": ["{python}", "-c", CHECK], "env": {"MYKEY": "env:MYKEY"}}]},
    }
    (tmp_path / "spec.json").write_text(json.dumps(spec), encoding="utf-8")
    environment = prefect_server.environment | {
        "MYKEY": VALUE,
        "PLAIT_WORKSPACES": str(tmp_path / "workspaces"),
        "PREFECT_LOGGING_LEVEL": "DEBUG",
        "PREFECT_LOGGING_EXTRA_LOGGERS": "plait.progress",
        "PYTHONPATH": str(ROOT),
    }
    said = b""
    for words in (
        ("run", "spec.json", "--debug"), ("report", "handed"), ("show", "handed"), ("plan", "spec.json"),
        ("export", "handed", "exported"),
    ):  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-c", MAIN, *words, "--store", "store"],
            cwd=tmp_path, env=environment, capture_output=True, check=False,
        )  # fmt: skip
        said += done.stdout + done.stderr
        assert done.returncode in {0, 1, 3}, said.decode()
        assert b"defect" not in done.stderr, said.decode()

    store = ContextStore(LocalObjects(tmp_path / "store"))
    track = store.require("handed", "tracks/writer")[1]
    assert track["status"] == "completed", track.get("error_log")
    rules = {one["rule"] for one in track["findings"]}
    assert {"secrets/value-in-file", "secrets/value-in-document", "secrets/value-in-log"} <= rules
    assert "secrets/value-in-log" in {one["rule"] for one in store.require("handed")[1]["findings"]}
    assert "[redacted:env-" in store.require("handed", "tracks/failing")[1]["context_summary"]

    database = b"".join(path.read_bytes() for path in prefect_server.home.glob("prefect.db*"))
    assert b"handed" in database
    places = {
        "the terminal": said,
        "the branch": every_object(repository),
        "Prefect's database": database,
        "Prefect's log": prefect_server.log.read_bytes(),
        **{
            str(path.relative_to(tmp_path)): path.read_bytes()
            for folder in ("store", "exported", "workspaces")
            for path in (tmp_path / folder).rglob("*")
            if path.is_file() and not _an_agents_own(path.relative_to(tmp_path))
        },
    }
    places |= {f"the name of {name}": name.encode() for name in places}
    leaks = [(where, form) for where, content in places.items() for form in forms() if form in content]
    assert not leaks, "\n".join(f"{where}: {form!r}" for where, form in leaks)
    assert "handed" in git(repository, "branch", "--list", "plait/handed")
    assert re.search(rb"\[redacted:env-", places["the branch"])


def _an_agents_own(path: Path) -> bool:
    """Say whether a file below the workspaces is one that a program wrote itself, in its own folder."""
    return path.parts[0] == "workspaces" and (path.name == "context.json" or "work" in path.parts)


def test_an_ordinary_value_is_left_alone_in_code(tmp_path: Path) -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); from contexts.redaction import know_values_of, redact_text;"
        "know_values_of({'agents': {'a': {'env': {'MODE': 'env:MODE', 'DB_PASSWORD': 'env:DB_PASSWORD'}}}});"
        "print(redact_text(sys.argv[2]).text); print(redact_text(sys.argv[2], guesses=False).text)"
    )
    text = "mode = development; host = localhost:8080; DB_PASSWORD=postgres; image: postgres:16"
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT), text],
        env=os.environ | {"MODE": "development", "DB_PASSWORD": "postgres", "HOST": "localhost:8080"},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    in_a_log, in_a_branch = done.stdout.splitlines()
    assert in_a_log == text.replace("=postgres", "=[redacted:env-db-password]")
    assert in_a_branch == text
