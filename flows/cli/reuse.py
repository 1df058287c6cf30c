"""Say which tracks a run would reuse from the store, and why, without running or preparing anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from contexts.plan import transitive_needs

from contexts.digest import agent_inputs, track_inputs
from contexts.errors import DocumentError, NotFound, RepositoryError
from contexts.model.base import JsonObject
from contexts.model.refs import BlobRef
from contexts.model.spec import Track
from contexts.specfile import LoadedSpec
from contexts.store import CONTEXT, ContextStore, track_document
from tasks.agents.replay import read_recordings
from tasks.walls.source import Source


@dataclass(frozen=True, slots=True)
class Expected:
    """What a run would do with one track.

    Attributes:
        reason: Why, in words.
    """

    task_id: str
    action: Literal["reuse", "run"]
    reason: str


def expect_reuse(
    loaded: LoadedSpec, store: ContextStore, workflow_id: str, replay: Path | None = None
) -> tuple[Expected, ...]:
    """Return what a run of this spec would do with every track, in spec order.

    A track is judged as the run itself judges it: completed, under the same inputs digest. Where a prerequisite would
    run first, its result is not known yet; a track that needs it may still be reused then.

    Raises:
        SpecError: The recordings are not there.
        StoreError: The store does not answer.
    """
    held = store.revisions(workflow_id)
    earlier = store.load_revision(workflow_id, CONTEXT, held[CONTEXT][-1])[1] if CONTEXT in held else {}
    judge = _Judge(loaded, store, workflow_id, earlier, replay, held)
    return tuple(judge.expected(track) for track in loaded.spec.parallel_tasks)


class _Judge:
    def __init__(
        self,
        loaded: LoadedSpec,
        store: ContextStore,
        workflow_id: str,
        earlier: JsonObject,
        replay: Path | None,
        held: Mapping[str, tuple[int, ...]],
    ) -> None:
        self._loaded = loaded
        self._store = store
        self._workflow_id = workflow_id
        self._record: JsonObject = earlier.get("run") or {}
        self._held = held
        self._recordings = {task_id: one.raw for task_id, one in read_recordings(replay).items()} if replay else {}
        self._known: dict[str, Expected] = {}
        self._documents: dict[str, JsonObject] = {}
        self._base = self._base_commit() if held else None

    def expected(self, track: Track) -> Expected:
        """Return what happens to a track, judging what it needs first."""
        if track.task_id not in self._known:
            needed = [self.expected(self._loaded.spec.track(name)) for name in track.needs]
            self._known[track.task_id] = Expected(track.task_id, *self._decide(track, needed))
        return self._known[track.task_id]

    def _decide(self, track: Track, needed: list[Expected]) -> tuple[Literal["reuse", "run"], str]:
        name = track_document(track.task_id)
        if name not in self._held:
            return "run", "never run"
        try:
            ref, document = self._store.load_revision(self._workflow_id, name, self._held[name][-1])
        except (DocumentError, NotFound) as error:
            return "run", error.message
        self._documents[track.task_id] = document
        if document.get("status") != "completed":
            return "run", f"{document.get('status') or 'not finished'} in {ref.document}@{ref.revision}"
        waits = [one.task_id for one in needed if one.action == "run"]
        if waits:
            return "run", f"needs {', '.join(waits)}, which runs; reused after all if the results are the same"
        execution: JsonObject = document.get("execution") or {}
        if execution.get("inputs") != self._inputs(track):
            return "run", f"its inputs have changed since {ref.document}@{ref.revision}"
        return "reuse", f"same inputs as {ref.document}@{ref.revision}"

    def _inputs(self, track: Track) -> str:
        spec, folder = self._loaded.spec, self._loaded.folder
        recording = self._recording(track)
        prerequisites = {
            name: str((self._documents[name].get("execution") or {}).get("result"))
            for name in transitive_needs(spec, track.task_id)
        }
        return track_inputs(
            spec,
            track,
            base=self._base if recording is None else None,
            prerequisites=prerequisites,
            agent=agent_inputs(spec.agents.get(track.agent), folder=folder, recording=recording),
        )

    def _recording(self, track: Track) -> bytes | None:
        if self._recordings:
            return self._recordings.get(track.task_id)
        stored: JsonObject = self._record.get("recordings") or {}
        if track.task_id in stored:
            return self._store.get_blob(self._workflow_id, BlobRef(**stored[track.task_id]["blob"]))
        agent = self._loaded.spec.agents.get(track.agent)
        if agent is not None and agent.backend == "replay":
            found = read_recordings(self._loaded.folder / agent.path).get(track.task_id)
            return found.raw if found else None
        return None

    def _base_commit(self) -> str | None:
        """Return the commit tracks start from: the one pinned by the first run, or what the name means now."""
        wanted = self._loaded.spec.repository
        if wanted is None:
            return None
        if self._record.get("base") and self._record.get("base_name") == wanted.base:
            return str(self._record["base"])
        where = wanted.path if "://" in wanted.path else str(self._loaded.folder / wanted.path)
        try:
            return Source(where).git().commit_of(wanted.base)
        except RepositoryError:
            # The run will say what is wrong with the repository; nothing stored was made from it.
            return None
