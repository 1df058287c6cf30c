"""The one place where errors become a sentence and an exit code.

    0 done and verified         3 partial                   130 interrupted; run again to go on
    1 findings or criteria      4 budget spent              141 the reader of our output went away
    2 bad input or usage        5 waiting for approval
                                6 store or server unreachable

Errors always go to stderr, also with ``--json``: what is on stdout is the result or nothing.
"""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Sequence

from flows.cli.interrupts import requests_interrupt

INTERRUPTED = 130
READER_GONE = 141
UNWRITTEN = 2
_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    _open_closed_streams()
    try:
        with requests_interrupt():
            code = _run(given, debug=debug)
            sys.stdout.flush()
    except BrokenPipeError:
        _give_up_stdout()
        return READER_GONE
    except OSError as error:
        _give_up_stdout()
        _say(f"the output cannot be written: {error.strerror}; what was saved is kept")
        return UNWRITTEN
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
    except Exception as error:
        if debug:
            traceback.print_exc()
        if isinstance(error, OSError) and error.filename is None and error.errno in _WRITING:
            raise  # no file is named: it is the output
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        _say(
            f"this is a defect in plait, not in what you gave it ({_sentence(what)[:300]}); --debug shows the traceback"
        )
        return 1


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(" .,")


def _say(text: str) -> None:
    # A spec may have several problems, each a line of its own.
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    print("plait: " + "\n       ".join(lines), file=sys.stderr)  # noqa: T201 the boundary speaks plainly


def _open_closed_streams() -> None:
    """Send to nowhere what goes to a stream the caller closed; else the next file opened would get its number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115 it stays open


def _give_up_stdout() -> None:
    # The interpreter flushes stdout once more at exit; on a closed pipe that would print a second complaint.
    with open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123 a descriptor is wanted
        os.dup2(nowhere.fileno(), 1)
