"""`plait init`: scaffold a spec, with agents beside it."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from flows.cli.session import Given


def init(
    template: Literal["minimal", "parallel", "clients"] = "minimal",
    folder: Annotated[Path, Parameter(name="DIR")] = Path(),
    /,
    *,
    session: Given,
) -> int:
    """Scaffold a spec that runs at once; existing files are never overwritten.

    Args:
        template: minimal: two agents side by side; parallel: a third that needs both, and checks of the whole;
            clients: tracks done by Claude Code and Codex, which must be installed.
        folder: Where to; made if it is not there.
    """
    from contexts.errors import InputError
    from flows.cli.context_files import write_new

    wanted = {
        folder / name: source.read_bytes()
        for name, source in _tree(files("flows.cli") / "templates" / template, Path())
    }
    taken = [path for path in wanted if path.exists()]
    if taken:
        raise InputError(
            f"{taken[0]} exists, and init overwrites nothing; name another folder: plait init {template} DIR",
            path=str(taken[0]),
        )
    for path, data in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make {path.parent}: {error.strerror or error}", path=str(path)) from error
        write_new(path, data, force=False)
    spec = folder / "plait.yaml"
    if session.as_json:
        session.emit({"template": template, "spec": str(spec), "files": sorted(map(str, wanted))})
        return 0
    console = session.out()
    for path in wanted:
        console.print(f"wrote {path}", markup=False, soft_wrap=True)
    console.print(f"next: plait plan {spec}\n      plait run {spec}", markup=False, soft_wrap=True)
    return 0


def _tree(source: Traversable, below: Path) -> Iterator[tuple[Path, Traversable]]:
    for entry in sorted(source.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _tree(entry, below / entry.name)
        elif entry.is_file():
            yield below / entry.name, entry
