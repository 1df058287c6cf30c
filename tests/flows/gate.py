"""A workflow with a deployment whose commands leave marks, run in this process."""

from pathlib import Path
from typing import Any

from contexts.spec.request import RunRequest
from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from contexts.verification.rulings import answer_gate
from contexts.verification.save_ruling import amend
from flows.launch import RunReport, launch
from tests.flows.specs import LEAVE, write_spec


class Place:
    """A spec with a deployment whose commands leave a line in a file, and what came of it."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        self.store = ContextStore(LocalObjects(folder / "store"))
        self.spec = self.write(**changes)

    def write(self, program: str = LEAVE, **changes: Any) -> str:
        smoke = "import os; assert os.environ['PLAIT_STAGING_URL'] == 'http://127.0.0.1:1'"
        deployment = {
            "checks": [{"id": "smoke", "argv": ["{python}", "-c", smoke]}],
            "staging": {"argv": self.note("staging"), "url": "http://127.0.0.1:1", "checks": ["smoke"]},
            "production": {
                "argv": self.note("production"),
                "gate": "go",
                "prerequisites": [
                    {"id": "smoked", "text": "smoke on staging", "check": "smoke"},
                    {"id": "told", "text": "users were told", "manual": True},
                ],
            },
        }
        more = {
            "verification": {"checks": [{"id": "unit", "argv": ["true"]}]},
            "deployment": {**deployment, **changes.pop("deployment", {})},
            **changes,
        }
        return write_spec(self.folder, "shop", {"api": program, "page": LEAVE}, **more)

    def note(self, name: str, then: str = "true") -> list[str]:
        return ["sh", "-c", f"echo {name} >> {self.folder / name}; {then}"]

    def times(self, name: str) -> int:
        file = self.folder / name
        return len(file.read_text().splitlines()) if file.exists() else 0

    def run(self) -> RunReport:
        return launch(RunRequest(spec=self.spec, store=str(self.folder / "store")))

    def newest(self) -> dict[str, Any]:
        return self.store.require("shop")[1]

    def answer(self, answer: Any, *ticked: str) -> None:
        amend(
            self.store,
            "shop",
            lambda context, at: answer_gate(
                context, "go", answer=answer, by="Ann", note="looked", at=at, ticked=ticked
            ),
        )
