"""A disk that takes nothing more: a plain sentence, exit code 6, and when it is mended the run goes on."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.chaos.running import Forked, Place, fork, make_repository, plait, torn, wait_until


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


@dataclass(frozen=True)
class OnSmallDisk:
    """A run whose store is on the small disk, with one track saved and the other waiting for its gate."""

    place: Place
    run: Forked
    gate: Path

    @property
    def store(self) -> ContextStore:
        return ContextStore(LocalObjects(Path(self.place.environment["PLAIT_STORE"])))


@pytest.fixture
def midway(place: Place, small_disk: Path) -> OnSmallDisk:
    gate = place.folder / "gate"
    on_it = replace(place, settings={"PLAIT_STORE": str(small_disk / "store")})
    on_it.write_spec({"quick": [], "waits": [f"wait={gate}"], "after": []}, settings={"after": {"needs": ["waits"]}})
    made = OnSmallDisk(on_it, fork(on_it, "run", on_it.spec), gate)
    wait_until("the agents work", lambda: len(on_it.lines()) == 2 and (small_disk / "store").exists())
    wait_until("the quick one is saved", lambda: "tracks/quick" in made.store.revisions("feature"))
    return made


def fill(folder: Path) -> Path:
    """Take all the room there is; return the file that does."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(os.urandom(4096))
    return ballast


def assert_goes_on(midway: OnSmallDisk) -> None:
    place = midway.place
    assert torn(midway.store) == []
    again = plait(place, "run", place.spec, "--json")
    assert again.code == 0, again.err
    assert sorted(place.started()) == ["after", "quick", "waits"], "a finished result is kept where there is room"
    assert [one["task_id"] for one in again.report["tracks"] if one["reused"]] == ["quick", "waits"]


def test_a_full_disk_is_said_plainly_and_after_making_room_the_run_goes_on(
    midway: OnSmallDisk, small_disk: Path
) -> None:
    ballast = fill(small_disk)
    midway.gate.touch()
    ended = midway.run.wait()
    assert ended.code == 6
    assert "is full: make room and run again" in ended.err
    assert "Traceback" not in ended.err
    ballast.unlink()
    assert_goes_on(midway)


def test_a_store_that_becomes_read_only_is_said_plainly_and_when_it_is_writable_the_run_goes_on(
    midway: OnSmallDisk, small_disk: Path
) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    midway.gate.touch()
    ended = midway.run.wait()
    assert ended.code == 6
    assert "ead-only" in ended.err
    assert "Traceback" not in ended.err
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    assert_goes_on(midway)


@pytest.mark.parametrize("moment", ["when the repository is fetched", "when the work is committed"])
def test_a_full_disk_that_git_meets_first_is_said_as_plainly_and_after_making_room_the_run_goes_on(
    place: Place, small_disk: Path, moment: str
) -> None:
    workspaces = small_disk / "workspaces"
    on_it = replace(place, settings={"PLAIT_WORKSPACES": str(workspaces)})
    gate = place.folder / "gate"
    repository = Path(make_repository(place.folder / "repository"))
    if moment == "when the repository is fetched":
        (repository / "large").write_bytes(os.urandom(2_000_000))
        who = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        subprocess.run(["git", "add", "."], cwd=repository, check=True)
        subprocess.run(["git", *who, "commit", "-q", "-m", "Large"], cwd=repository, check=True)
    on_it.write_spec(
        {"quick": [], "waits": ["write=file.txt", f"wait={gate}"]},
        settings={"waits": {"owns": ["file.txt"]}},
        repository_path=str(repository),
    )
    run = fork(on_it, "run", on_it.spec)
    if moment == "when the work is committed":
        wait_until("the agents work", lambda: len(on_it.lines()) == 2, 180)
        wait_until("the quick one is saved", lambda: on_it.completed() == {"quick"}, 180)
        fill(small_disk)
    gate.touch()
    ended = run.wait(300)
    assert ended.code == 6, ended.err
    assert f"the disk of {workspaces}" in ended.err
    assert "is full: make room and run again" in ended.err
    assert "Traceback" not in ended.err
    (small_disk / "ballast").unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert torn(on_it.store) == []
    assert plait(on_it, "run", on_it.spec).code == 0
    assert on_it.started().count("quick") == 1


@pytest.mark.parametrize("what", ["TMPDIR", "PREFECT_HOME"])
def test_a_full_disk_of_temporary_files_or_of_prefect_is_named(place: Place, small_disk: Path, what: str) -> None:
    place.write_spec({"one": ["write=file.txt"]}, repository=True)
    fill(small_disk)
    ended = plait(replace(place, settings={what: str(small_disk / "home")}), "run", place.spec)
    assert ended.code in {0, 6}, ended.err
    assert ended.code == 0 or f"the disk of {small_disk}" in ended.err, ended.err
    assert "Traceback" not in ended.err
    assert "defect" not in ended.err
