"""The one place where errors become a sentence and an exit code.

    0 done and verified         3 partial                   130 interrupted; run again to go on
    1 findings or criteria      4 budget spent              141 the reader of our output went away
    2 bad input or usage        5 waiting for approval
                                6 store or server unreachable

Errors always go to stderr, also with ``--json``: what is on stdout is the result or nothing.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

INTERRUPTED = 130
READER_GONE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        code = _run(given, debug=debug)
        sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return READER_GONE
    except KeyboardInterrupt:
        if debug:
            traceback.print_exc()
        _say("interrupted; what was saved is kept, and the same command goes on from there")
        return INTERRUPTED
    return code


def _run(given: list[str], *, debug: bool) -> int:
    try:
        from cyclopts import CycloptsError

        from contexts.errors import PlaitError
        from flows.cli.app import dispatch

        try:
            return dispatch(given)
        except PlaitError as error:
            if debug:
                traceback.print_exc()
            _say(error.message)
            return error.exit_code
        except CycloptsError as error:
            if debug:
                traceback.print_exc()
            _say(f"{_sentence(str(error))}; `plait --help` and `plait COMMAND --help` show the usage")
            return 2
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except Exception as error:  # noqa: BLE001 the boundary: a defect is said as one, with a code that is not success
        if debug:
            traceback.print_exc()
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        _say(
            f"this is a defect in plait, not in what you gave it ({_sentence(what)[:300]}); --debug shows the traceback"
        )
        return 1


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _say(text: str) -> None:
    # A spec may have several problems, each a line of its own.
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    print("plait: " + "\n       ".join(lines), file=sys.stderr)  # noqa: T201 the boundary speaks plainly


def _give_up_stdout() -> None:
    # The interpreter flushes stdout once more at exit; on a closed pipe that would print a second complaint.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 a descriptor is wanted
        os.dup2(nowhere.fileno(), 1)
