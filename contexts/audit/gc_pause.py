"""The interpreter's search for garbage, paused while documents are judged."""

from __future__ import annotations

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def paused_collection() -> Generator[None]:
    """Pause the search for cyclic garbage, which would go through all documents again and again as findings grow.

    Documents and their indexes are trees: what nobody refers to any more is freed at once, as always. Where the
    search was paused already, by another thread or by the program, it stays as it is.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
