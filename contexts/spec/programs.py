"""The files a spec's commands name outside the repository: what they held, and whether that is at hand here.

A track, a check and a deployment count by the content of the files their commands name below ``{spec_dir}``. Whoever
goes on with a stored workflow may be on another machine, or the folder may be gone or hold something else by now. So a
run leaves the digests with the workflow, and the next one takes them from there: what is finished counts as it was,
and what is to run must find the very same files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from contexts.errors import InputError
from contexts.spec.checks import MigrationsCheck
from contexts.spec.model import Spec
from contexts.spec.policy import CommandAgent

SPEC_DIR = "{spec_dir}"
Known = Mapping[str, str | None]
"""A named file's sha256 in hexadecimal, by the argument as written; None for what was no file."""
NOTHING_KNOWN: Known = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a spec.

    Attributes:
        place: Where the spec has it, for people: ``agents.writer``, ``check unit``.
        argv: As written.
    """

    place: str
    argv: tuple[str, ...]


def path_of(argument: str, folder: Path) -> Path:
    """Return the path an argument stands for, below the spec's folder where it says so."""
    return Path(argument.replace(SPEC_DIR, str(folder)))


def content_of(argument: str, path: Path, known: Known = NOTHING_KNOWN) -> str | None:
    """Return the sha256 of the file an argument names; None where it is no file.

    Args:
        argument: As written, the part after the ``=`` of an option.
        path: What it stands for.
        known: What goes before whatever is there.

    Raises:
        InputError: The file cannot be read.
    """
    if argument in known:
        return known[argument]
    if not path.is_file():
        return None
    try:
        with path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"cannot read {path}, which the spec's commands name: {error.strerror or error}") from error


def commands_of(spec: Spec) -> Iterator[Command]:
    """Yield every command of a spec."""
    for role, agent in spec.agents.items():
        if isinstance(agent, CommandAgent):
            yield Command(f"agents.{role}", agent.argv)
    yield from setup_commands(spec)
    yield from check_commands(spec)
    if spec.deployment and spec.deployment.staging:
        yield Command("deployment.staging", spec.deployment.staging.argv)
    if spec.deployment and spec.deployment.production:
        yield Command("deployment.production", spec.deployment.production.argv or ())


def setup_commands(spec: Spec) -> Iterator[Command]:
    """Yield the commands that prepare a track's workspace."""
    for argv in spec.repository.setup if spec.repository else ():
        yield Command("repository.setup", argv)


def check_commands(spec: Spec, names: Sequence[str] | None = None) -> Iterator[Command]:
    """Yield the commands of checks, those of deployment too, and what prepares their tree.

    Args:
        spec: The spec.
        names: Ids of the checks; None for all.
    """
    checks = [*spec.verification.checks, *(spec.deployment.checks if spec.deployment else ())]
    wanted = [check for check in checks if names is None or check.id in names]
    for argv in spec.verification.setup if wanted else ():
        yield Command("verification.setup", argv)
    for check in wanted:
        yield Command(f"check {check.id}", check.argv)
        if isinstance(check, MigrationsCheck) and check.url_command:
            yield Command(f"check {check.id}", check.url_command)


def remember(spec: Spec, folder: Path, known: Known = NOTHING_KNOWN) -> dict[str, str | None]:
    """Return what the files that a spec's commands name hold, for the store.

    Args:
        spec: The spec.
        folder: The spec's folder.
        known: What goes before whatever is there.

    Raises:
        InputError: A file cannot be read.
    """
    return {
        argument: content_of(argument, path_of(argument, folder), known)
        for command in commands_of(spec)
        for argument in _arguments(command)
    }


def _arguments(command: Command) -> Iterator[str]:
    """Yield what may name a file outside the repository: arguments, and the values of options."""
    for argument in command.argv:
        for given in dict.fromkeys((argument, argument.rpartition("=")[2] if argument.startswith("-") else argument)):
            # What a check names by an absolute path does not count, and is often as large as it is far away.
            if SPEC_DIR in given or (command.place.startswith("agents.") and Path(given).is_absolute()):
                yield given


@dataclass(frozen=True, slots=True)
class Programs:
    """What the commands of a stored spec name, as it was and as it is here.

    Attributes:
        folder: What ``{spec_dir}`` means here; it need not exist.
        how: ``named`` by whoever goes on; ``left`` on this machine by the run before; ``none`` known.
        before: What the files held when the workflow last ran; None where no run has left that.
    """

    folder: Path
    how: Literal["named", "left", "none"]
    before: Known | None

    @property
    def known(self) -> Known:
        """What counts instead of whatever stands there.

        A folder that somebody names counts as it is, and what it lacks as it was.
        """
        before = self.before or {}
        if self.how == "named":
            return {one: proof for one, proof in before.items() if not path_of(one, self.folder).is_file()}
        return {one: proof for one, proof in before.items() if SPEC_DIR in one or not Path(one).is_file()}

    def lacking(self, command: Command) -> str | None:
        """Say what a command names that is not at hand; None when it can run."""
        for argument in _arguments(command):
            path = path_of(argument, self.folder)
            proof = (self.before or {}).get(argument)
            if SPEC_DIR not in argument:
                if proof is not None and not path.is_file():
                    return f"{argument} is not on this machine"
            elif self.how == "none" or not self.folder.is_dir():
                return f"{argument} is not at hand here"
            elif proof is not None and not path.is_file():
                return f"there is no {path}"
            elif proof is not None and self.how == "left" and content_of(argument, path) != proof:
                return f"{path} is not what it was"
        return None
