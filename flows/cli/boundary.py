"""The one place where errors become a sentence and an exit code.

    0 done and verified         3 partial                   130 interrupted; run again to go on
    1 findings or criteria      4 budget spent              141 the reader of our output went away
    2 bad input or usage        5 waiting for approval
                                6 store or server unreachable

Errors always go to stderr, also with ``--json``: what is on stdout is the result or nothing.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from flows.cli.terminal.interrupts import requests_interrupt
from flows.cli.terminal.streams import LossyStream, give_up, open_closed_streams

INTERRUPTED = 130
READER_GONE = 141
UNWRITTEN = 2
_WRITING = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    open_closed_streams()
    try:
        with requests_interrupt():
            code = _run(given, debug=debug)
            sys.stdout.flush()
    except BrokenPipeError:
        give_up(1)
        return READER_GONE
    except OSError as error:
        give_up(1)
        _say(f"the output cannot be written: {error.strerror}; what was saved is kept")
        return UNWRITTEN
    except KeyboardInterrupt:
        if debug:
            _trace()
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
                _trace()
            _say(error.message)
            return error.exit_code
        except CycloptsError as error:
            if debug:
                _trace()
            _say(f"{_sentence(str(error))}; `plait --help` and `plait COMMAND --help` show the usage")
            return 2
    except (BrokenPipeError, KeyboardInterrupt):
        raise
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from end  # rich, which also prints the help, ends with 1 where a pipe is closed
        raise
    except Exception as error:
        if debug:
            _trace()
        if isinstance(error, OSError) and error.filename is None and error.errno in _WRITING:
            raise  # no file is named: it is the output
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            from contexts.full_disk import full

            said = full([Path(str(error.filename))])
            _say(said.message)
            return said.exit_code
        if isinstance(error, FileNotFoundError) and not _is_anywhere():
            _say("the current folder does not exist any more; change to one that does")
            return 2
        from contexts.redaction import head_of

        what = _sentence(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)
        _say(f"this is a defect in plait, not in what you gave it ({head_of(what, 300)}); --debug shows the traceback")
        return 1


def _is_anywhere() -> bool:
    try:
        return bool(Path.cwd())
    except FileNotFoundError:
        return False


def _sentence(text: str) -> str:
    return " ".join(text.split()).rstrip(" .,")


def _say(text: str) -> None:
    # A spec may have several problems, each a line of its own.
    from contexts.redaction import without_known
    from contexts.text.visible import show_invisible

    told = [show_invisible(line) for line in without_known(text).split("\n")]
    lines = [" ".join(line.split()) for line in told if line.strip()]
    # Where nobody hears it the exit code still says it.
    said = LossyStream(sys.stderr)
    said.write("plait: " + "\n       ".join(lines) + "\n")
    said.flush()


def _trace() -> None:
    """Print the traceback of the error at hand."""
    from contexts.redaction import without_known

    sys.stderr.write(without_known(traceback.format_exc()))
