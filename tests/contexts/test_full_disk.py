"""Who says that a disk is full: this machine's git, and not a remote one, nor a name that an agent has chosen."""

from pathlib import Path

import pytest

from contexts.errors import StoreError
from contexts.full_disk import full, says_full, without_room


@pytest.mark.parametrize(
    "said",
    [
        "fatal: write error: No space left on device",
        "error: unable to write file x: No space left on device\nfatal: failed to write object",
        "fatal: cannot create directory at 'a': Disk quota exceeded",
        "fatal: sha1 file '.git/index.lock' write error. Out of diskspace",
    ],
)
def test_git_says_that_the_disk_is_full(said: str) -> None:
    assert says_full(said)


@pytest.mark.parametrize(
    "said",
    [
        "remote: fatal: unable to write: No space left on device\nerror: failed to push some refs",
        'error: open("a: No space left on device"): Permission denied',
        "error: unable to index file 'a: No space left on device'",
        "fatal: Unable to process path a: No space left on device",
        "fatal: not a git repository",
        "",
    ],
)
def test_what_only_holds_the_words_does_not_say_it(said: str) -> None:
    assert not says_full(said)


def test_a_disk_with_room_is_not_named_before_the_first_place(tmp_path: Path) -> None:
    assert without_room([tmp_path, tmp_path / "not" / "there"]) is None
    error = full([tmp_path, Path("/")], "nothing was saved")
    assert isinstance(error, StoreError)
    assert error.exit_code == 6
    assert error.message == f"the disk of {tmp_path} is full: make room and run again; nothing was saved"
