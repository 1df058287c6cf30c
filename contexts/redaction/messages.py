"""Known values in what is told beyond the store: messages of errors and records of any logger, tracebacks included."""

from __future__ import annotations

import logging
import traceback
from typing import Any

from contexts.errors import clean_messages_with
from contexts.redaction.known_values import knows_any, without_known

_before: list[Any] = []


def clean_what_is_told() -> None:
    """Take known values out of every message from now on; once for a process, whoever asks."""
    clean_messages_with(without_known)
    if not _before:
        _before.append(logging.getLogRecordFactory())
        logging.setLogRecordFactory(_record)


def _record(*args: Any, **kwargs: Any) -> logging.LogRecord:
    """Make a record as before, without the known values; what a traceback shows is made text here for that."""
    record: logging.LogRecord = _before[0](*args, **kwargs)
    if not knows_any():
        return record
    try:
        said = record.getMessage()
    except (TypeError, ValueError):  # arguments that do not fit: whoever handles it will say so
        said = ""
    if said and (clean := without_known(said)) != said:
        record.msg, record.args = clean, ()
    if record.exc_info and record.exc_info[0] is not None:
        text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        if (clean := without_known(text)) != text:
            record.exc_text, record.exc_info = clean, None
    return record
