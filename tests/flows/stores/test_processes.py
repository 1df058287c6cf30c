"""`plait run` and `plait resume` as processes on a real server: where the store is a block, and where nobody reads on."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from contexts.store.contexts import ContextStore
from contexts.store.local import LocalObjects
from tests.flows.specs import LEAVE, write_spec
from tests.servers import Server, client_environment
from tests.waiting import PATIENCE

PLAIT = Path(sys.executable).parent / "plait"
SAVE = "import sys; from contexts.store.blocks import LocalContexts; LocalContexts(path=sys.argv[1]).save('here', overwrite=True, _sync=True)"


@dataclass(frozen=True)
class Place:
    """A folder, the server that runs in the background of its Prefect home, and what both are called in a process."""

    folder: Path
    server: Server

    @property
    def environment(self) -> dict[str, str]:
        """No server is configured: the one here must be found."""
        return client_environment(self.server.home) | {
            "PLAIT_STORE": str(self.folder / "store"),
            "PLAIT_WORKSPACES": str(self.folder / "workspaces"),
        }

    def start(self, *arguments: object, **streams: int) -> subprocess.Popen[str]:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        return subprocess.Popen([PLAIT, *map(str, arguments)], env=self.environment, text=True, **streams)

    def plait(self, *arguments: object) -> tuple[int, str, str]:
        process = self.start(*arguments)
        out, said = process.communicate()
        return process.returncode, out, said

    def flow_runs(self) -> int:
        return int(httpx.post(f"{self.server.url}/flow_runs/count", json={}, timeout=PATIENCE).json())


@pytest.fixture
def place(prefect_server: Server, tmp_path: Path) -> Iterator[Place]:
    record = prefect_server.home / "server.pid"
    record.write_text(str(prefect_server.pid))
    yield Place(tmp_path, prefect_server)
    record.unlink()


@pytest.fixture
def block(place: Place) -> str:
    """Return the name of a store in a block of that server."""
    subprocess.run([sys.executable, "-c", SAVE, place.folder / "kept"], env=place.server.environment, check=True)
    return "block:local-contexts/here"


def test_a_run_on_a_blocks_store_uses_the_server_here_and_so_does_resuming(place: Place, block: str) -> None:
    spec = write_spec(place.folder, "shop", {"one": LEAVE})
    before = place.flow_runs()
    for command in (("run", spec), ("resume", "shop")):
        code, out, said = place.plait(*command, "--store", block)
        assert (code, said) == (0, ""), said
        assert f"{place.server.url.removesuffix('/api')}/runs/flow-run/" in out
    assert place.flow_runs() == before + 2
    code, out, said = place.plait("list", "--store", block)
    assert (code, said) == (0, "")
    assert "shop" in out


def test_what_a_blocks_store_lacks_is_one_sentence(place: Place, block: str) -> None:
    before = place.flow_runs()
    code, out, said = place.plait("resume", "nobody", "--store", block, "--json")
    assert (code, out) == (2, "")
    assert said.startswith("plait: no workflow 'nobody' in ")
    assert len(said.splitlines()) == 1
    code, _, said = place.plait("resume", "shop", "--store", "block:local-contexts/nowhere", "--json")
    assert code == 2
    assert len(said.splitlines()) == 1
    assert "there is no block local-contexts/nowhere" in said
    assert place.flow_runs() == before


@pytest.mark.parametrize("both", [False, True], ids=["stdout", "stdout and stderr"])
def test_a_run_goes_on_to_its_end_when_its_reader_goes_away(place: Place, both: bool) -> None:
    spec = write_spec(place.folder, "shop", {"one": LEAVE})
    reader, writer = os.pipe()
    process = place.start("run", spec, stdout=writer, stderr=writer if both else subprocess.PIPE)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    _, said = process.communicate()
    assert process.returncode == 141
    assert not said
    _, document = ContextStore(LocalObjects(place.folder / "store")).require("shop")
    assert document["run"]["status"] == "completed"
