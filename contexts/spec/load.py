"""Load a spec from a file: one clear sentence with line and column for whatever is wrong with it.

Reading is in `contexts.spec.read`, what can be wrong with a value in `contexts.spec.problems` (the model) and
`contexts.spec.rules` (names, cycles, groups); here is the road from a path to a checked spec, and what is checked
only when agents are about to run.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import sys
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import orjson
from pydantic import ValidationError

from contexts.documents.base import JsonObject
from contexts.errors import BadIdentifier, SpecError
from contexts.identifiers import check_id
from contexts.spec.model import Spec
from contexts.spec.policy import CommandAgent
from contexts.spec.problems import model_problems, strip_own_fields
from contexts.spec.programs import NOTHING_KNOWN, SPEC_DIR, Known, Programs, content_of, path_of
from contexts.spec.read import MAX_BYTES, read_spec_text
from contexts.spec.repository_name import is_url, resolve
from contexts.spec.rules import Problem, spec_problems
from contexts.spec.spec_text import SpecText, located, show
from contexts.text.plural import and_more

SHOWN_PROBLEMS = 5


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A spec as checked and as written.

    Attributes:
        spec: The typed spec.
        raw: The plain value of the file, with the ``x-`` fields.
        folder: Folder that relative paths of the spec start from, absolute.
        name: The file's name as the user gave it.
        programs: For a spec out of a store: what its commands name, as it was.
    """

    spec: Spec
    raw: JsonObject
    folder: Path
    name: str
    programs: Programs | None = None

    @property
    def known(self) -> Known:
        """What counts instead of the files in the folder; nothing where the spec itself was given."""
        return self.programs.known if self.programs else NOTHING_KNOWN


def load_spec(path: Path | str) -> LoadedSpec:
    """Read and check a spec file, YAML or (by its extension) JSON.

    Raises:
        SpecError: It cannot be read or is wrong; the message has at most five sentences, each with its place.
    """
    given = Path(path)
    spec, spec_text = _parse(_read(given), name=str(path))
    return LoadedSpec(spec, spec_text.value, given.absolute().parent, str(path))


def parse_spec(text: bytes, *, name: str) -> Spec:
    """Check a spec that is already in memory, such as one kept in a store.

    Args:
        text: The file's bytes.
        name: The file's name, for messages; ``.json`` at its end means JSON.

    Raises:
        SpecError: As `load_spec`.
    """
    return _parse(text, name=name)[0]


def _read(path: Path) -> bytes:
    name = str(path)
    if "\0" in name:
        raise SpecError("the name of a spec file holds NUL; give the path of a YAML or JSON file", path=name)
    try:
        # Without blocking, so that a pipe nobody writes to is refused instead of waited for.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123 - pathlib cannot take it
            known = os.fstat(file.fileno())
            if not stat.S_ISREG(known.st_mode):
                raise located(name, None, "is not a regular file; give the path of a YAML or JSON file")
            body = file.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise located(
            name, None, "there is no such file; give the path of a spec, or make one with plait init"
        ) from error
    except IsADirectoryError as error:
        raise located(name, None, "is a folder; give the path of the spec file in it") from error
    except OSError as error:
        raise located(name, None, f"cannot be read: {error.strerror or error}") from error
    if len(body) > MAX_BYTES:
        raise located(name, None, f"has {max(known.st_size, len(body)):,} bytes; a spec may have at most {MAX_BYTES:,}")
    return body


def _parse(body: bytes, *, name: str) -> tuple[Spec, SpecText]:
    spec_text = read_spec_text(body, name)
    value = spec_text.value
    spec: Spec | None = None
    problems: list[Problem] = []
    while spec is None:
        try:
            spec = Spec.model_validate_json(orjson.dumps(value))
        except ValidationError as error:
            value, own = strip_own_fields(value, error)
            if own:
                continue
            problems = model_problems(value, error)
            break
    more = spec_problems(value)
    # What is checked here has a better place than what the model says of the whole.
    problems = [problem for problem in problems if not (more and problem.of_whole)] + more
    if problems or spec is None:
        raise _error(spec_text, problems)
    return spec, spec_text


def _error(spec_text: SpecText, problems: Sequence[Problem]) -> SpecError:
    placed = sorted(
        ((spec_text.place(problem.path, key=problem.at_key), problem.message, problem) for problem in problems),
        key=lambda found: found[:2],
    )
    sentences = [f"{spec_text.name}, line {line}, column {column}: {text}" for (line, column), text, _ in placed]
    if len(sentences) > SHOWN_PROBLEMS:
        sentences[SHOWN_PROBLEMS:] = [and_more(len(sentences) - SHOWN_PROBLEMS, "problem")]
    (line, column), _, first = placed[0]
    return SpecError(
        "\n".join(sentences),
        path=spec_text.name,
        line=line,
        column=column,
        place=show(first.path),
        problems=tuple(text for _, text, _ in placed),
    )


def expand_workflow_id(template: str, now: datetime, zone: tzinfo = UTC) -> str:
    """Replace ``{date}`` and ``{time}`` by the moment's day and second, so that a schedule makes new workflows.

    Args:
        template: The id as the spec writes it.
        now: The moment.
        zone: The time zone they are told in.

    Raises:
        SpecError: What comes out is not an id.
    """
    moment = now.astimezone(zone)
    known = {"{date}": moment.strftime("%Y%m%d"), "{time}": moment.strftime("%H%M%S")}
    expanded = re.sub(r"\{(?:date|time)\}", lambda match: known[match.group()], template)
    try:
        return check_id(expanded, "workflow_id")
    except BadIdentifier as error:
        raise SpecError(error.message, place="workflow_id") from error


def resolve_argv(argv: Iterable[str], *, folder: Path, **more: str) -> tuple[str, ...]:
    """Replace the placeholders of an argument list.

    ``{python}`` is the interpreter plait runs on, ``{spec_dir}`` the spec's folder; ``more`` adds others. An unknown
    ``{name}`` stays as it is, because programs have braces of their own.
    """
    known = {"python": sys.executable, "spec_dir": str(folder)} | more
    return tuple(re.sub(r"\{([a-z_]+)\}", lambda match: known.get(match[1], match[0]), argument) for argument in argv)


def programs_of(argv: Sequence[str], *, folder: Path, known: Known = NOTHING_KNOWN) -> list[tuple[str, str]]:
    """Return the files of the spec's folder that an argument list names, each with the sha256 of its content.

    Args:
        argv: As written.
        folder: The spec's folder.
        known: What goes before whatever is there, by argument.

    Raises:
        InputError: A file cannot be read.
    """
    named = [(given, content_of(given, path_of(given, folder), known)) for given in argv if SPEC_DIR in given]
    return [(given, proof) for given, proof in named if proof is not None]


def check_agents(spec: Spec, *, folder: Path, replayed: Container[str] = ()) -> None:
    """Check, before anything runs, that every track's role has an agent and every program is there.

    Args:
        spec: The spec.
        folder: Folder of the spec file.
        replayed: Tracks that a recording stands in for, by task_id; their roles need no agent.

    Raises:
        SpecError: Names the roles, or the program.
    """
    used = dict.fromkeys(track.agent for track in spec.parallel_tasks if track.task_id not in replayed)
    missing = [role for role in used if role not in spec.agents]
    if missing:
        roles = ", ".join(missing)
        raise SpecError(
            f"no agent is declared for {'role' if len(missing) == 1 else 'the roles'} {roles}; "
            f"add {'it' if len(missing) == 1 else 'them'} under agents in the spec, or give --replay DIR",
            roles=tuple(missing),
        )
    for role in used:
        agent = spec.agents.get(role)
        if not isinstance(agent, CommandAgent):
            continue
        program = resolve_argv(agent.argv[:1], folder=folder)[0]
        problem = _missing(program, role, spec, folder)
        if problem:
            raise SpecError(f"agents.{role}: {problem}", roles=(role,), name=program)
    for argv in spec.repository.setup if spec.repository else ():
        program = resolve_argv(argv[:1], folder=folder)[0]
        # One with a slash may come with the repository or from the step before.
        if "/" not in program and shutil.which(program) is None:
            raise SpecError(
                f"repository.setup: the program {program!r} does not exist; install it, or give its path",
                name=program,
            )


def _missing(program: str, role: str, spec: Spec, folder: Path) -> str | None:
    """Say why a role's program cannot be started, as far as that is known before there is a workspace."""
    sentence = f"the program {program!r} does not exist or may not be run; install it, or give its path in argv"
    if "/" not in program:
        return None if shutil.which(program) else sentence
    if Path(program).is_absolute():
        return None if _may_run(Path(program)) else sentence
    if any(track.needs for track in spec.parallel_tasks if track.agent == role):
        return None  # a track before it may bring the program
    wanted = spec.repository
    if wanted is not None:
        place = None if is_url(wanted.path) else resolve(wanted.path, folder)
        if wanted.base != "HEAD" or place is None or not (place / ".git").exists():
            return None  # what is there shows only when the base is written out
        if _may_run(place / program):
            return None
    where = "in the repository" if wanted else "in the track's workspace, which is empty at first"
    hint = f"; the spec's folder has one: write {{spec_dir}}/{program}" if _may_run(folder / program) else ""
    return f"there is no program {program!r} {where}{hint or '; relative paths start there'}"


def _may_run(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
