"""What a check's pass rests on: programs beside the spec count by their content, wherever the check names them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from contexts.spec.checks import Check, CommandCheck, MigrationsCheck
from tasks.checks.run import check_inputs

PROGRAM = "{spec_dir}/program.py"
NAMED: dict[str, Callable[[], tuple[Check, list[list[str]]]]] = {
    "its command": lambda: (CommandCheck(id="c", argv=("python", PROGRAM)), []),
    "what prepares the tree": lambda: (CommandCheck(id="c", argv=("true",)), [["python", PROGRAM]]),
    "what makes its database": lambda: (
        MigrationsCheck(kind="migrations", id="c", url_command=("python", PROGRAM)), []
    ),
}  # fmt: skip


@pytest.mark.parametrize("where", NAMED)
def test_a_pass_no_longer_counts_when_a_program_it_rests_on_changed(where: str, tmp_path: Path) -> None:
    check, setup = NAMED[where]()
    program = tmp_path / "program.py"
    program.write_text("1\n")
    before = check_inputs(check, "tree", folder=tmp_path, setup=setup)
    assert check_inputs(check, "tree", folder=tmp_path, setup=setup) == before
    program.write_text("2\n")
    assert check_inputs(check, "tree", folder=tmp_path, setup=setup) != before
