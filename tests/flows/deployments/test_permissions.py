"""Who may run what: the rules, without a server."""

from pathlib import Path
from typing import Any

import pytest

from contexts.errors import InputError
from contexts.spec.request import RunRequest
from flows.deployments.permissions import check_allowed, read_allowed


def check(folder: Path, environment: dict[str, str] | None = None, **named: Any) -> None:
    check_allowed(RunRequest(**named), read_allowed(environment or {}, folder), folder)


def test_without_settings_specs_come_from_the_folder_of_the_code(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    check(code, spec="specs/a.yaml")
    check(code, spec=str(code / "a.yaml"))
    for outside in ("../a.yaml", "/etc/a.yaml", str(tmp_path / "code-too" / "a.yaml"), "~/a.yaml"):
        with pytest.raises(InputError, match="may not use the spec"):
            check(code, spec=outside)


def test_the_folder_of_a_stored_spec_s_programs_is_an_allowed_one(tmp_path: Path) -> None:
    settings = {"PLAIT_ALLOWED_SPECS": str(tmp_path / "a")}
    check(tmp_path, settings, workflow_id="w", spec_dir=str(tmp_path / "a" / "specs"))
    for outside in ("specs", "a/../b", "~/a", "/"):
        with pytest.raises(InputError, match="may not use the spec's folder"):
            check(tmp_path, settings, workflow_id="w", spec_dir=outside)


def test_a_link_out_of_an_allowed_folder_does_not_lead_out(tmp_path: Path) -> None:
    code = tmp_path / "code"
    code.mkdir()
    (tmp_path / "outside.yaml").write_text("{}", encoding="utf-8")
    (code / "inside.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(InputError, match="may not use the spec"):
        check(code, spec="inside.yaml")


def test_named_folders_replace_the_folder_of_the_code(tmp_path: Path) -> None:
    settings = {"PLAIT_ALLOWED_SPECS": f"{tmp_path / 'a'}:{tmp_path / 'b'}"}
    check(tmp_path, settings, spec=str(tmp_path / "a" / "deep" / "spec.yaml"))
    check(tmp_path, settings, spec=str(tmp_path / "b" / "spec.yaml"), replay=str(tmp_path / "a"))
    with pytest.raises(InputError, match="may not use the spec"):
        check(tmp_path, settings, spec="spec.yaml")
    with pytest.raises(InputError, match="may not use the recordings folder"):
        check(tmp_path, settings, workflow_id="w", replay="/etc")


def test_inline_specs_need_a_setting(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="PLAIT_ALLOW_INLINE=1"):
        check(tmp_path, inline={"workflow_id": "w"})
    check(tmp_path, {"PLAIT_ALLOW_INLINE": "1"}, inline={"workflow_id": "w"})
    for other in ("", "0", "true"):
        with pytest.raises(InputError):
            check(tmp_path, {"PLAIT_ALLOW_INLINE": other}, inline={})


@pytest.mark.parametrize(
    "store",
    ["/var/elsewhere", "file:///var/elsewhere", "s3://other/prefix", "block:s3-contexts/other", "../elsewhere", "~/x"],
)
def test_a_store_that_nobody_named_is_refused(tmp_path: Path, store: str) -> None:
    settings = {"PLAIT_STORE": "s3://own/prefix", "PLAIT_ALLOWED_STORES": "block:s3-contexts/main s3://team/plait"}
    with pytest.raises(InputError, match="may not use the store"):
        check(tmp_path, settings, workflow_id="w", store=store)


@pytest.mark.parametrize("store", [None, "s3://own/prefix", "block:s3-contexts/main", "s3://team/plait", "contexts"])
def test_the_workers_own_store_named_ones_and_folders_among_the_allowed_serve(tmp_path: Path, store: str) -> None:
    settings = {"PLAIT_STORE": "s3://own/prefix", "PLAIT_ALLOWED_STORES": "block:s3-contexts/main s3://team/plait"}
    check(tmp_path, settings, workflow_id="w", store=store)


def test_a_repository_is_code_and_must_be_allowed_too(tmp_path: Path) -> None:
    url = "https://git.example.org/team/app.git"
    with pytest.raises(InputError, match="PLAIT_ALLOWED_REPOSITORIES"):
        check(tmp_path, workflow_id="w", repository=url)
    check(tmp_path, {"PLAIT_ALLOWED_REPOSITORIES": url}, workflow_id="w", repository=url)
    with pytest.raises(InputError, match="there is none"):
        check(tmp_path, workflow_id="w", repository="app")
    (tmp_path / "app").mkdir()
    check(tmp_path, workflow_id="w", repository="app")
    for outside in ("/srv/app", "file:///srv/app"):
        with pytest.raises(InputError, match="may not use the repository"):
            check(tmp_path, workflow_id="w", repository=outside)
