"""Run a spec's checks on the base commit before anybody is paid, in a store that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass

from contexts.documents.verification import Evidence
from contexts.errors import SpecError
from contexts.spec.checks import Check
from contexts.spec.request import RunRequest
from tasks.filesystem import remove_folder
from tasks.run.evidence import check_at_base, tried_at_base
from tasks.run.run import open_run


@dataclass(frozen=True, slots=True)
class Tried:
    """A check of the spec, and how it ends on the base commit; None where it only says something of tracks' work."""

    check: Check
    evidence: Evidence | None


def try_checks(request: RunRequest) -> Iterator[Tried]:
    """Run every check of a spec on the base commit, one after another; nothing of it is kept.

    Args:
        request: What a run would be asked for; its store is left alone.

    Raises:
        SpecError: The spec names no repository.
        PlaitError: As a run that is opened.
    """
    with tempfile.TemporaryDirectory(prefix="plait-plan-") as folder:
        alone = request.model_copy(update={"store": folder})
        with open_run(alone) as run:
            try:
                if not run.has_repository:
                    raise SpecError(
                        f"{run.workflow_id} has no repository, so there is no base commit to run checks on; name one "
                        "under repository",
                        pointer="/repository",
                    )
                for check in run.spec.verification.checks:
                    yield Tried(check, check_at_base(run, check) if tried_at_base(check) else None)
            finally:
                remove_folder(run.repository.root)
