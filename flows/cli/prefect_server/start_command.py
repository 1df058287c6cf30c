"""`make server`: the Prefect server PREFECT_API_URL names, on this machine, in the background.

`prefect server start --background` gives its server pipes that nobody reads. The first warning it logs ends it, such as
the one that a machine without a way out gets half a minute after the start. Here it writes to a file.
"""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

from contexts.errors import PlaitError
from flows.cli.prefect_server.server import LOG_FILE, configured, start_or_reuse
from flows.cli.startup import restore_gc

_HERE = {"127.0.0.1", "localhost"}


def main() -> int:
    """Start the server and wait until it answers; one that runs already is left alone.

    Returns:
        0, or 2 where PREFECT_API_URL names another machine or another server runs here, or 6 where it did not come up.
    """
    restore_gc()
    wanted = configured()
    try:
        named = urlsplit(wanted) if wanted else None
        port = named.port if named else None
    except ValueError:
        return _failed(f"PREFECT_API_URL is no address: {wanted}", 2)
    if named and named.hostname not in _HERE:
        return _failed(f"PREFECT_API_URL names {wanted}, which is not on this machine: start it there", 2)
    if port:
        os.environ["PREFECT_SERVER_API_PORT"] = str(port)
    try:
        url, started = start_or_reuse(_starting)
    except PlaitError as error:
        return _failed(str(error), error.exit_code)
    if port and urlsplit(url).port != port:
        ended = "stop it with `prefect server stop`, or " if started else ""
        why = f"port {port} is taken, so it listens elsewhere" if started else "another one runs here already"
        return _failed(f"the Prefect server is at {url}: {why}; {ended}set PREFECT_API_URL to it", 2)
    what = f"it writes {LOG_FILE} below PREFECT_HOME" if started else "it ran already"
    print(f"{url.removesuffix('/api')} answers; {what}; `prefect server stop` ends it")  # noqa: T201
    return 0


def _starting() -> None:
    print("starting a Prefect server, which takes some 20 s", flush=True)  # noqa: T201 this is a command


def _failed(sentence: str, code: int) -> int:
    print(f"plait: {sentence}", file=sys.stderr)  # noqa: T201 this is a command
    return code


if __name__ == "__main__":
    sys.exit(main())
