"""What the quick commands load; how long that takes is in benchmarks/cli.py."""

import json
import keyword
import os
import subprocess
import sys

import pytest

from flows.cli.app import build
from tests.servers import ROOT

HEAVY = ("prefect", "boto3", "botocore", "fastapi", "jinja2")
QUICK = {
    "--help": ["--help"],
    "list": ["list"],
    "show": ["show", "shop"],
    "history": ["history", "shop"],
    "diff": ["diff", "shop", "1", "2"],
    "merge": ["merge", "{parent}", "{track}"],
    "plan": ["plan", "{spec}"],
    "schema": ["schema"],
    "store check": ["store", "check"],
}
PROGRAM = """
import contextlib, io, json, sys
from flows.cli import main
heavy, commands = json.loads(sys.argv[1])
found = {}
for name, arguments in commands.items():
    with contextlib.redirect_stdout(io.StringIO()):
        code = main(arguments)
    found[name] = [code, sorted(set(heavy) & set(sys.modules))]
print(json.dumps(found))
"""


@pytest.mark.usefixtures("outside")
def test_quick_commands_load_neither_prefect_nor_boto3(shop, call, tmp_path):
    call("export", "shop", tmp_path / "out")
    call("init", "minimal", tmp_path / "spec")
    (tmp_path / "parent.json").write_text(call("show", "shop", "--revision", 1).out)
    places = {
        "{parent}": str(tmp_path / "parent.json"),
        "{track}": str(tmp_path / "out" / "shop-cart.json"),
        "{spec}": str(tmp_path / "spec" / "plait.yaml"),
    }
    commands = {name: [places.get(part, part) for part in parts] for name, parts in QUICK.items()}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([HEAVY, commands])],
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(done.stdout)
    assert {name: heavy for name, (_, heavy) in found.items()} == {name: [] for name in QUICK}, done.stderr
    assert {name: code for name, (code, _) in found.items()} == {**dict.fromkeys(QUICK, 0), "merge": 3}, done.stderr


HASTE = """
import atexit, gc, json, os, sys
atexit.register(lambda: print(json.dumps(gc.get_freeze_count() > 0)))
usual = gc.get_threshold()
from flows.cli import main
def state(): return [gc.get_threshold() == usual, os.environ.get("PYDANTIC_DISABLE_PLUGINS")]
quick = state()
code = main(sys.argv[1:])
print(json.dumps([quick, code, state()]))
"""


@pytest.mark.usefixtures("outside")
@pytest.mark.parametrize(("chosen", "meanwhile"), [(None, "__all__"), ("", "")])
def test_a_run_gives_prefect_the_interpreter_as_the_user_set_it(call, tmp_path, chosen, meanwhile):
    call("init", "minimal", tmp_path)
    environment = {name: value for name, value in os.environ.items() if name != "PYDANTIC_DISABLE_PLUGINS"}
    environment |= {"PREFECT_API_URL": "http://127.0.0.1:9/api"}  # nobody is there: the run ends before it begins
    environment |= {} if chosen is None else {"PYDANTIC_DISABLE_PLUGINS": chosen}
    done = subprocess.run(
        [sys.executable, "-c", HASTE, "run", str(tmp_path / "plait.yaml")],
        capture_output=True, env=environment, text=True, check=True,
    )  # fmt: skip
    assert list(map(json.loads, done.stdout.splitlines())) == [
        [[False, meanwhile], 6, [True, chosen]],
        False,
    ], done.stderr


@pytest.mark.usefixtures("outside")
def test_a_quick_command_looks_for_no_garbage_at_its_end():
    done = subprocess.run([sys.executable, "-c", HASTE, "list"], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "true", done.stderr


def test_every_command_can_be_loaded_and_says_what_it_does():
    app = build()
    names = {name for name in app if not name.startswith("-")}
    assert {"run", "plan", "resume", "list", "show", "history", "diff", "merge", "audit", "export", "import"} < names
    for name in names:
        assert app[name].help, name


def test_every_command_has_the_module_named_as_it_is_typed_and_no_module_is_without_a_command():
    app = build()
    expected, found = {}, {}
    for name in sorted(name for name in app if not name.startswith("-")):
        expected[name] = f"flows.cli.commands.{name}{'_' if keyword.iskeyword(name) else ''}"
        command = app[name]
        called = [command] if command.default_command else [command[one] for one in command if not one.startswith("-")]
        found[name] = ", ".join(sorted({one.default_command.__module__ for one in called}))
    assert found == expected
    folder = ROOT / "flows" / "cli" / "commands"
    modules = {f"flows.cli.commands.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"}
    assert modules == set(expected.values())
