"""A full disk: a plain sentence, exit code 6, and after room was made the run goes on."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.running import Place, fork, plait, torn, wait_until


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"this user may not mount a small tmpfs: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_said_plainly_and_after_making_room_the_run_goes_on(place: Place, small_disk: Path) -> None:
    gate = place.folder / "gate"
    on_it = replace(place, settings={"PLAIT_STORE": str(small_disk / "store")})
    on_it.write_spec({"quick": [], "waits": [f"wait={gate}"], "after": []}, settings={"after": {"needs": ["waits"]}})
    run = fork(on_it, "run", on_it.spec)
    wait_until("the agents work", lambda: len(on_it.lines()) == 2 and (small_disk / "store").exists())
    from contexts.local import LocalObjects
    from contexts.store import ContextStore

    store = ContextStore(LocalObjects(small_disk / "store"))
    wait_until("the quick one is saved", lambda: "tracks/quick" in store.revisions("feature"))
    ballast = small_disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(os.urandom(4096))
        except OSError:
            pass
    gate.touch()
    ended = run.wait()
    assert ended.code == 6
    assert "is full: make room and run again" in ended.err
    assert "Traceback" not in ended.err
    ballast.unlink()
    assert torn(store) == []
    again = plait(on_it, "run", on_it.spec, "--json")
    assert again.code == 0, again.err
    assert on_it.started().count("quick") == 1
    assert sorted(again.report["tracks"], key=lambda one: one["task_id"])[1]["reused"]
