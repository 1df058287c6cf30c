"""The `replay` backend: a context document recorded earlier stands in for an agent."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from contexts.documents.codec import parse_object
from contexts.documents.context_file import read_context_file
from contexts.errors import DocumentError, SpecError
from tasks.agents.backend import Delivery, Job


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded track document: its file's name and bytes."""

    name: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class ReplayBackend:
    """Gives back what was recorded; nothing is run and no file is changed."""

    recording: Recording
    name: str = "replay"
    works: bool = False

    def run(self, job: Job) -> Delivery:
        """Return the recorded document as it stands."""
        try:
            document = parse_object(self.recording.raw, self.recording.name)
        except DocumentError as error:
            return Delivery(None, error.message)
        job.on_line(f"replaying {self.recording.name}")
        job.log.write_text(f"replayed {self.recording.name}\n", encoding="utf-8")
        return Delivery(document)


def read_recordings(path: Path) -> dict[str, Recording]:
    """Return the recorded track documents of a folder or file, by task_id; documents without one are passed over.

    Raises:
        SpecError: The folder is not there, or two files record one track.
        DocumentError: A file is not a JSON object, or never ends.
        InputError: A file cannot be read.
    """
    if not path.exists():
        raise SpecError(f"there are no recordings at {path}: give a folder of context documents", path=str(path))
    found: dict[str, Recording] = {}
    # Whoever opens a pipe waits for its writer.
    for file in sorted(one for one in path.glob("*.json") if one.is_file()) if path.is_dir() else [path]:
        raw = read_context_file(file)
        task_id = parse_object(raw, file.name).get("task_id")
        if not isinstance(task_id, str):
            continue
        if task_id in found:
            raise SpecError(f"{file.name} and {found[task_id].name} both record track {task_id!r}; keep one of them")
        found[task_id] = Recording(file.name, raw)
    return found
