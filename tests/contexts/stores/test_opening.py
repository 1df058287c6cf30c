"""One name for a store, however it is written; no secrets in it; nothing loaded that is not needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from contexts.errors import InputError
from contexts.store.data_folder import default_folder
from contexts.store.local import LocalObjects
from contexts.store.probe import diagnose
from contexts.store.s3 import S3Objects
from contexts.store.url import open_objects
from tests.contexts.stores import servers


def test_a_folder_is_the_same_store_by_path_by_name_and_by_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a store"
    monkeypatch.chdir(tmp_path)
    names = [folder, str(folder), "a store", folder.as_uri(), f"file://localhost{folder.as_uri()[7:]}"]
    assert {open_objects(name).identity for name in names} == {folder.as_uri()}
    monkeypatch.setenv("PLAIT_STORE", str(folder))
    assert open_objects().identity == folder.as_uri()


def test_with_nothing_configured_the_users_data_folder_is_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PLAIT_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert open_objects().identity == (tmp_path / "plait").as_uri()
    for relative in ("", "not/absolute"):
        monkeypatch.setenv("XDG_DATA_HOME", relative)
        monkeypatch.setenv("HOME", str(tmp_path))
        assert default_folder() == tmp_path / ".local" / "share" / "plait"


def test_an_s3_url_gives_bucket_prefix_and_settings() -> None:
    objects = open_objects("s3://b/p/q/?endpoint_url=https://0123.r2.cloudflarestorage.com&addressing=path&sse=AES256")
    assert isinstance(objects, S3Objects)
    assert objects.identity == "s3://b/p/q?endpoint_url=https://0123.r2.cloudflarestorage.com"
    assert objects.client.meta.region_name == "auto"
    again = open_objects(objects.identity)
    assert again.identity == objects.identity, "an identity opens the storage it names"
    assert open_objects("s3://b?region=eu-west-1").identity == "s3://b"


@pytest.mark.parametrize(
    "url",
    [
        "s3://",
        "s3:///prefix",
        "s3://b/p#x",
        "s3://b/../p",
        "s3://b/p?colour=red",
        "s3://b/p?region=a&region=b",
        "s3://b/p?addressing=sideways",
        "s3://b/p?sse=rot13",
        "s3://b/p?kms_key_id=k",
        "gs://b/p",
        "http://h/b",
        "file://elsewhere/folder",
        "file:///folder?x=1",
        "s3://[b/p",
        "block:s3-contexts",
        "block:other/name",
    ],
)
def test_a_name_that_cannot_be_a_store_is_bad_input(url: str) -> None:
    with pytest.raises(InputError):
        open_objects(url)


@pytest.mark.parametrize(
    "url",
    [
        "s3://AKIAEXAMPLE:hush-hush@b/p",
        "s3://hush-hush@b/p",
        "s3://b/p?aws_secret_access_key=hush-hush",
        "s3://b/p?session_token=hush-hush",
        "s3://b/p?X-Amz-Signature=hush-hush",
        "s3://b/p?endpoint_url=https://user:hush-hush@h",
        "file://user:hush-hush@h/folder",
    ],
)
def test_credentials_in_a_url_are_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(InputError, match="credentials") as caught:
        open_objects(url)
    assert "hush-hush" not in f"{caught.value} {vars(caught.value)}"


@pytest.mark.parametrize("heavy", ["boto3", "botocore", "prefect", "prefect_aws"])
def test_a_store_in_a_folder_loads_neither_boto3_nor_prefect(tmp_path: Path, heavy: str) -> None:
    code = (
        "import sys; from contexts.store.url import open_objects; import contexts.leases.held\n"
        "open_objects(sys.argv[1]).create('blobs/w/a', b'x'); sys.exit(sys.argv[2] in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path), heavy], check=True, cwd=servers.ROOT)


def test_every_question_about_a_folder_is_answered_well_and_leaves_nothing(tmp_path: Path) -> None:
    objects = LocalObjects(tmp_path)
    answers = diagnose(objects)
    assert all(answer.ok for answer in answers), answers
    assert list(objects.list("")) == []


def test_a_folder_that_cannot_be_written_is_diagnosed_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    answers = diagnose(LocalObjects(tmp_path / "file"))
    assert not answers[-1].ok
    assert "remove it" in answers[-1].detail
