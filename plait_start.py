"""Start plait with its own packages, whatever else is called flows, tasks or contexts here.

A project may have packages of these names itself, and put them before everything else (``PYTHONPATH=.``). So the
processes that are plait's own load theirs from beside this file and leave the search path as it is: agents, checks and
the set-up commands of a repository, which are processes of their own, find what they would find without plait.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path

PACKAGES = ("contexts", "tasks", "flows")


def own_packages() -> None:
    """Load plait's packages from beside this file.

    Raises:
        ImportError: One is not there. What another package of the same name raises that was put in its place.
    """
    here = str(Path(__file__).absolute().parent)
    for name in PACKAGES:
        spec = PathFinder.find_spec(name, [here])
        if spec is None or spec.loader is None:
            raise ImportError(f"plait's package {name} is not in {here}", name=name)
        module = sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(module)


def main() -> int:
    """Run the command line and return its exit code."""
    try:
        own_packages()
    except Exception as error:  # noqa: BLE001 plait's own hold a docstring each: this is somebody else's
        return _refuse(error)
    try:
        from flows.cli import main as run  # noqa: PLC0415 there is one only now
    except ImportError as error:
        if str(error.name).partition(".")[0] not in PACKAGES:
            raise
        return _refuse(error)
    return run()


def _refuse(error: Exception) -> int:
    others = _others()
    what = f"{others} is installed over them" if others else f"{type(error).__name__}: {error}"
    sys.stderr.write(
        f"plait: its packages {', '.join(PACKAGES)} cannot be loaded ({what}): "
        "install plait apart, with `uv tool install` or `pipx install`\n"
    )
    return 2


def _others() -> str:
    """Return the distributions beside plait that have packages of the same names, as they say themselves."""
    from importlib.metadata import packages_distributions  # noqa: PLC0415 only where something is wrong

    found = packages_distributions()
    return ", ".join(sorted({one for name in PACKAGES for one in found.get(name, [])} - {"plait"}))


if __name__ == "__main__":
    sys.exit(main())
