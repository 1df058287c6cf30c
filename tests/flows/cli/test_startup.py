"""What the quick commands load; how long that takes is in benchmarks/cli.py."""

import json
import subprocess
import sys

from flows.cli.app import build

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
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout)
    assert {name: heavy for name, (_, heavy) in found.items()} == {name: [] for name in QUICK}, done.stderr
    assert {name: code for name, (code, _) in found.items()} == {**dict.fromkeys(QUICK, 0), "merge": 3}, done.stderr


def test_every_command_can_be_loaded_and_says_what_it_does():
    app = build()
    names = {name for name in app if not name.startswith("-")}
    assert {"run", "plan", "resume", "list", "show", "history", "diff", "merge", "audit", "export", "import"} < names
    for name in names:
        assert app[name].help, name
