"""What the quick commands load; how long that takes is in benchmarks/cli.py."""

import subprocess
import sys

import pytest

from flows.cli.app import build

HEAVY = ("prefect", "boto3", "botocore", "fastapi", "jinja2")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["list"],
        ["show", "shop"],
        ["history", "shop"],
        ["diff", "shop", "1", "2"],
        ["merge", "{parent}", "{track}"],
        ["plan", "{spec}"],
        ["schema"],
        ["store", "check"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_quick_commands_load_neither_prefect_nor_boto3(shop, call, tmp_path, arguments):
    call("export", "shop", tmp_path / "out")
    call("init", "minimal", tmp_path / "spec")
    call("show", "shop", "--revision", 1)
    (tmp_path / "parent.json").write_text(call("show", "shop", "--revision", 1).out)
    places = {
        "{parent}": str(tmp_path / "parent.json"),
        "{track}": str(tmp_path / "out" / "shop-cart.json"),
        "{spec}": str(tmp_path / "spec" / "plait.yaml"),
    }
    given = [places.get(argument, argument) for argument in arguments]
    code = (
        "import sys\nfrom flows.cli import main\n"
        f"code = main({given!r})\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)), code, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.splitlines()[-1] == ("[] 3" if given[0] == "merge" else "[] 0"), done.stderr


def test_every_command_can_be_loaded_and_says_what_it_does():
    app = build()
    names = [name for name in app if not name.startswith("-")]
    assert {"run", "plan", "resume", "list", "show", "history", "diff", "merge", "audit", "export", "import"} < set(names)
    for name in names:
        assert app[name].help, name
