"""Keep a program's output within bounds: the log file, and the lines somebody watches."""

from __future__ import annotations

import os
import time

TAIL = 65_536  # the end of a cut log is kept too: it usually holds the error
LINE_BYTES = 8_000
LINES_A_SECOND = 100
CUT = "[plait: output dropped here]"


class Log:
    """The bounded log: its beginning live, its end when the program has ended, the middle counted and dropped."""

    def __init__(self, descriptor: int, limit: int) -> None:
        self._descriptor = descriptor
        self._room = limit - min(TAIL, limit // 4)
        self._tail = bytearray()
        self._tail_room = limit - self._room
        self._at_line_start = True
        self.kept = 0
        self.dropped = 0
        self.problem = ""

    def add(self, chunk: bytes) -> None:
        """Take output as it comes."""
        head = chunk[: self._room]
        if len(head) < len(chunk) and self._room:
            # Cut between words where there are any, so that half a secret never escapes who looks for whole ones.
            head = head[: max(head.rfind(b"\n"), head.rfind(b" ")) + 1] or head
            self._tail_room += self._room - len(head)
            self._room = len(head)
        self._room -= len(head)
        self._write(head)
        self._tail += chunk[len(head) :]
        excess = len(self._tail) - self._tail_room
        if excess > 0:
            del self._tail[:excess]
            self.dropped += excess

    def close(self, note: str) -> None:
        """Write the kept end and, where there is something to say, one last line."""
        if self.dropped:
            self._write_note(CUT[8:-1])
            ends = [at for at in (self._tail.find(b"\n"), self._tail.find(b" ")) if at >= 0]
            if ends:
                self.dropped += min(ends) + 1
                del self._tail[: min(ends) + 1]
        self._write(bytes(self._tail))
        self._tail.clear()
        if self.dropped:
            self._write_note(
                f"log limit reached; {self.dropped} bytes were dropped above" + (f"; {note}" if note else "")
            )
        elif note:
            self._write_note(note)

    def _write_note(self, text: str) -> None:
        kept = self.kept
        self._write((b"" if self._at_line_start else b"\n") + f"[plait: {text}]\n".encode())
        self.kept = kept

    def _write(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            try:
                done = os.write(self._descriptor, view)
            except OSError as error:
                # A full disk must not stop the program's pipe from being read.
                self.problem = self.problem or f"the log could not be written: {error.strerror}"
                self.dropped += len(view)
                return
            self.kept += done
            self._at_line_start = view[done - 1] == 0x0A
            view = view[done:]


class Lines:
    """Cut output into lines for a watcher, at a bounded rate and length."""

    def __init__(self) -> None:
        self._pending = b""
        self._cut = False
        self._tokens = float(LINES_A_SECOND)
        self._at = time.monotonic()
        self.skipped = 0

    def take(self, chunk: bytes) -> list[bytes]:
        """Return the lines this chunk completes; lines beyond the rate are counted in ``skipped``."""
        now = time.monotonic()
        self._tokens = min(2.0 * LINES_A_SECOND, self._tokens + (now - self._at) * LINES_A_SECOND)
        self._at = now
        if self._tokens < 1:
            self.skipped += chunk.count(b"\n")
            self._cut, self._pending = not chunk.endswith(b"\n"), b""
            return []
        pieces = (self._pending + chunk).replace(b"\r", b"\n").split(b"\n")
        if self._cut and len(pieces) > 1:
            pieces, self._cut = pieces[1:], False
        self._pending = pieces.pop()
        if self._cut:
            self._pending = b""
        elif len(self._pending) > LINE_BYTES:
            pieces.append(self._pending)
            self._pending, self._cut = b"", True
        lines = [piece[:LINE_BYTES] for piece in pieces if piece]
        allowed = lines[: int(self._tokens)]
        self.skipped += len(lines) - len(allowed)
        self._tokens -= len(allowed)
        return allowed

    def rest(self) -> list[bytes]:
        """Return what was left without a line end."""
        return [self._pending[:LINE_BYTES]] if self._pending and not self._cut else []
