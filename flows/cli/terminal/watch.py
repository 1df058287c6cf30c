"""Show a run while it goes: a live board on a terminal, one line per change elsewhere, nothing for --json."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Iterable
from contextlib import contextmanager, redirect_stderr, suppress
from types import FrameType
from typing import TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.markup import escape

from contexts.text.amounts import clock
from contexts.text.plural import counted
from flows.cli.terminal.board import Board
from flows.cli.terminal.streams import LossyStream
from flows.cli.terminal.tables import STYLES
from tasks.run.progress import LOGGER, SERVER_LOGGER, Progress

_FRAMES_PER_SECOND = 8


class _Watcher(logging.Handler):
    """Feed the board, and print a line per change where nothing is drawn."""

    def __init__(self, board: Board, console: Console | None, *, aside: bool = False) -> None:
        super().__init__(logging.DEBUG)
        self.board = board
        self._console = console
        self._aside = aside

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record that carries progress; others are not ours."""
        progress = getattr(record, "plait", None)
        if not isinstance(progress, Progress):
            return
        changed = self.board.take(progress, time.monotonic())
        if self._aside and progress.kind == "store":
            # Where only a program listens on stdout, somebody may still wonder what is being waited for.
            LossyStream(sys.stderr).write(f"plait: {progress.message}\n")
        if self._console is None or not changed:
            return
        if progress.kind == "run":
            self.say(f"run: {progress.subject}")
            return
        if progress.kind == "store":
            self.say(f"store: {escape(progress.message)}")
            return
        style = STYLES.get(progress.status, "none")
        spent = f" ({clock(progress.seconds)})" if progress.seconds is not None else ""
        message = f"  {escape(progress.message)}" if progress.message else ""
        self.say(f"{progress.kind} {escape(progress.subject)}: [{style}]{progress.status}[/]{spent}{message}")

    def say(self, markup: str) -> None:
        """Print one line with the time, where lines are printed."""
        if self._console is not None:
            self._console.print(f"{time.strftime('%H:%M:%S')} {markup}", soft_wrap=True)


class _Picture:
    """Draw the board anew whenever the live display asks."""

    def __init__(self, board: Board) -> None:
        self._board = board

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self._board.draw(console.height - 1, time.monotonic())


@contextmanager
def watched(
    title: str, task_ids: Iterable[str], console: Console | None, starting: str = "starting"
) -> Generator[Board]:
    """Show progress until the block ends; None as console: show nothing.

    Ctrl-C is said at once, because winding agents down takes seconds.
    """
    board = Board(title, time.monotonic(), starting=starting)
    board.expect(task_ids)
    live = console is not None and console.is_terminal
    watcher = _Watcher(board, None if live else console, aside=console is None)
    count = f", {counted(len(board.tracks), 'track')}" if board.tracks else ""
    watcher.say(f"{escape(title)}: {starting}{count}")
    logger = logging.getLogger(LOGGER)
    level, propagate = logger.level, logger.propagate
    logger.addHandler(watcher)
    logger.setLevel(logging.DEBUG)
    # Prefect's console handler sits on the root logger and would say everything a second time.
    logger.propagate = False
    try:
        with _interrupt_said(board, loud=not live):
            if console is not None and live:
                with Live(_Picture(board), console=console, refresh_per_second=_FRAMES_PER_SECOND, transient=True):
                    yield board
            else:
                yield board
    finally:
        logger.removeHandler(watcher)
        logger.setLevel(level)
        logger.propagate = propagate


class _HeldBack(io.StringIO):
    """Takes what is meant for stderr and answers as that does, so that whoever writes there decides as ever."""

    def isatty(self) -> bool:
        """Say whether stderr itself is a terminal."""
        return sys.__stderr__ is not None and sys.__stderr__.isatty()


@contextmanager
def said_afterwards() -> Generator[TextIO]:
    """Give a place for what is to be said on stderr, and say it when the block has ended, with or without an error.

    What the run says of a Prefect server in trouble is said there too.
    """
    held = _HeldBack()
    of_server = logging.StreamHandler(held)
    of_server.setFormatter(logging.Formatter("plait: %(message)s"))
    logger = logging.getLogger(SERVER_LOGGER)
    logger.addHandler(of_server)
    try:
        yield held
    finally:
        logger.removeHandler(of_server)
        if said := held.getvalue().strip():
            LossyStream(sys.stderr).write(f"{said}\n")


@contextmanager
def prefect_kept_apart(console: Console | None, *, debug: bool, later: TextIO) -> Generator[None]:
    """Keep Prefect's own log off the terminal, or with debug above the board; the Prefect UI has all of it either way.

    What importing it prints, such as its notice about usage data at a first run, goes to ``later``.

    Prefect logs every failed track with its traceback. Its console handlers write to the terminal past any redirection,
    which would tear the picture; importing it here sets them up once, and later set-ups leave them.
    """
    with redirect_stderr(later):
        import prefect.main  # pyright: ignore[reportUnusedImport] # noqa: F401 sets up the logging
    from prefect.logging.handlers import PrefectConsoleHandler

    loggers = [logging.getLogger(), *map(logging.getLogger, tuple(logging.root.manager.loggerDict))]
    handlers = {handler for logger in loggers for handler in logger.handlers}
    theirs = [handler for handler in handlers if isinstance(handler, PrefectConsoleHandler)]
    before = [handler.console for handler in theirs]
    for handler in theirs:
        if not debug:
            # For good: at the end of the process Prefect reports on the server it stops.
            handler.setLevel(logging.CRITICAL + 1)
        elif console is not None:
            handler.console = console
    try:
        yield
    finally:
        for handler, own in zip(theirs, before, strict=True):
            handler.console = own


@contextmanager
def _interrupt_said(board: Board, *, loud: bool) -> Generator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        if loud and not board.stopping:
            # Not print: the signal may come in the middle of one.
            with suppress(OSError):
                os.write(2, b"plait: stopping; what is finished is kept\n")
        board.stopping = True
        signal.default_int_handler(number, frame)

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
