"""prefect.yaml against Prefect's own JSON schema, and what it promises without a server."""

import copy
import importlib
from typing import Any

import jsonschema
import pytest
import yaml
from prefect.cli.deploy._models import PrefectYamlModel

from tests.servers import ROOT

SCHEMA = PrefectYamlModel.model_json_schema(by_alias=True)
"""What Prefect's repository holds as schemas/prefect.yaml.schema.json, made by the installed version from its model."""


@pytest.fixture
def declared() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "prefect.yaml").read_text(encoding="utf-8"))


def complaints(declared: dict[str, Any]) -> list[str]:
    """Return what is wrong with a prefect.yaml: by the schema, and fields it does not know, which it lets pass."""
    validator = jsonschema.Draft202012Validator(SCHEMA)
    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(declared)]
    known = SCHEMA["$defs"]
    # `definitions` holds YAML anchors; Prefect reads none of it.
    found += [f"no field {name}" for name in set(declared) - set(SCHEMA["properties"]) - {"definitions"}]
    for one in declared["deployments"]:
        found += [f"{one['name']}: no field {name}" for name in set(one) - set(known["DeploymentConfig"]["properties"])]
        if isinstance(one.get("schedules"), list):
            found += [
                f"{one['name']}: no field {name} of a schedule"
                for each in one["schedules"]
                for name in set(each) - set(known["RawScheduleConfig"]["properties"])
            ]
    return found


def test_prefect_yaml_fits_prefects_own_schema(declared: dict[str, Any]) -> None:
    assert complaints(declared) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ["feature"]},
        {"entrypoint": 3},
        {"parameters": "spec=a"},
        {"enforce_parameter_schema": "yes please"},
        {"work_pool": {"name": 7}},
        {"schedules": [{"cron": 6}]},
        {"schedules": "daily"},
        {"schedules": [{"cron": "0 6 * * *", "time_zone": "UTC"}]},
        {"entry_point": "flows.feature.feature"},
    ],
)
def test_the_check_notices_what_is_wrong(declared: dict[str, Any], wrong: dict[str, Any]) -> None:
    broken = copy.deepcopy(declared)
    broken["deployments"][0].update(wrong)
    assert complaints(broken)


def test_the_deployments_are_those_promised_and_each_entrypoint_is_a_flow_of_a_module(declared: dict[str, Any]) -> None:
    found = {one["name"]: one for one in declared["deployments"]}
    assert set(found) == {"feature", "feature-scheduled", "resume-interrupted", "reverify", "retention"}
    for one in found.values():
        module, _, name = one["entrypoint"].rpartition(".")
        assert getattr(importlib.import_module(module), name).name
    kinds = {name: {key for each in one.get("schedules", ()) for key in each} for name, one in found.items()}
    assert kinds["feature"] == set()
    assert "interval" in kinds["resume-interrupted"]
    assert all("cron" in kinds[name] for name in ("feature-scheduled", "reverify", "retention"))


def test_the_scheduled_example_makes_a_new_workflow_every_day(declared: dict[str, Any]) -> None:
    (scheduled,) = (one for one in declared["deployments"] if one["name"] == "feature-scheduled")
    spec = yaml.safe_load((ROOT / scheduled["parameters"]["spec"]).read_text(encoding="utf-8"))
    assert "{date}" in spec["workflow_id"]


def test_code_comes_from_a_local_folder_or_from_git(declared: dict[str, Any]) -> None:
    steps = {name: next(iter(pull[0])) for name, pull in declared["definitions"].items() if name.startswith("from_")}
    assert steps == {
        "from_here": "prefect.deployments.steps.set_working_directory",
        "from_git": "prefect.deployments.steps.git_clone",
    }
