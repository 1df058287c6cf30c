import json
from pathlib import Path

import pytest
import yaml

from contexts.spec.model import Spec


@pytest.mark.parametrize("template", ["minimal", "parallel", "clients"])
def test_a_template_is_a_valid_spec_with_its_programs_beside_it(call, tmp_path, template):
    folder = tmp_path / "new"
    result = call("init", template, folder, "--json")
    assert result.code == 0
    spec = Spec.model_validate_json(json.dumps(yaml.safe_load((folder / "plait.yaml").read_text())))
    for agent in spec.agents.values():
        program = agent.argv[1].replace("{spec_dir}", str(folder))
        compile(Path(program).read_text(), program, "exec")
    assert {track.agent for track in spec.parallel_tasks} == set(spec.agents)


def test_init_overwrites_nothing(call, tmp_path):
    (tmp_path / "plait.yaml").write_text("mine")
    result = call("init", "parallel", tmp_path)
    assert result.code == 2
    assert "overwrites nothing" in result.err
    assert [path.name for path in tmp_path.iterdir() if path.name != "store"] == ["plait.yaml"]
    assert (tmp_path / "plait.yaml").read_text() == "mine"


def test_init_into_something_that_is_no_folder_is_bad_input(call, tmp_path):
    (tmp_path / "file").write_text("")
    assert call("init", "minimal", tmp_path / "file" / "deeper").code == 2
