"""What every command is given: the global options, the store they name, and the two streams."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import orjson
from cyclopts import Parameter

from flows.cli.terminal.streams import LossyStream

if TYPE_CHECKING:
    from rich.console import Console

    from contexts.store.contexts import ContextStore

# Without a terminal nobody resizes anything, and a table cut at 80 columns would lose what a script looks for.
_WIDTH_WITHOUT_TERMINAL = 240


@dataclass(frozen=True, slots=True)
class Session:
    """The global options of one call.

    Attributes:
        store_url: What ``--store`` said; None: the configured or default store.
        as_json: Print JSON and nothing else on stdout.
        debug: Show tracebacks and Prefect's own log.
    """

    store_url: str | None = None
    as_json: bool = False
    debug: bool = False

    def contexts(self) -> ContextStore:
        """Open the store.

        Raises:
            StoreError: It cannot be reached or does not serve.
        """
        from contexts.store.contexts import ContextStore
        from contexts.store.url import open_objects

        if self.in_block:
            from flows.cli.prefect_server.server import find_before_prefect

            if not find_before_prefect(debug=self.debug):
                from flows.cli.prefect_server.temporary import be_ready

                be_ready()
        return ContextStore(open_objects(self.store_url))

    @property
    def in_block(self) -> bool:
        """Whether the store is one of a Prefect block, which only a Prefect server can name."""
        from contexts.store.url import BLOCK, store_name

        return store_name(self.store_url).startswith(BLOCK)

    def out(self, stream: LossyStream | None = None) -> Console:
        """Return a console on stdout, or on a stream that stands for it."""
        return _console(stream or sys.stdout)

    def err(self) -> Console:
        """Return a console on stderr; what nobody hears there is no reason to end."""
        return _console(LossyStream(sys.stderr))

    def emit(self, value: Any) -> None:
        """Print a value as one line of JSON on stdout."""
        write_bytes(orjson.dumps(value) + b"\n")

    def note(self, text: str) -> None:
        """Say something on stderr, so that stdout stays what was asked for."""
        self.err().print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


Given = Annotated[Session, Parameter(parse=False)]
"""The parameter by which a command receives its session; it is not on the command line."""


def write_bytes(data: bytes) -> None:
    """Write bytes to stdout, whatever it is."""
    sys.stdout.flush()
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(data.decode())
    else:
        binary.write(data)
    sys.stdout.flush()


def write_json(value: Any) -> None:
    """Print a value as indented JSON, coloured where there is a terminal."""
    data = orjson.dumps(value, option=orjson.OPT_INDENT_2)
    if sys.stdout.isatty() and len(data) < 256 * 1024:
        from rich.json import JSON

        _console(sys.stdout).print(JSON(data.decode(), indent=2), soft_wrap=True)
    else:
        write_bytes(data + b"\n")


def _console(stream: TextIO | LossyStream) -> Console:
    from flows.cli.terminal.console import SafeConsole

    file = cast("TextIO", stream)
    console = SafeConsole(file=file, highlight=False, emoji=False)
    if not stream.isatty() and not console.is_terminal:
        console = SafeConsole(file=file, highlight=False, emoji=False, width=_WIDTH_WITHOUT_TERMINAL)
    return console
