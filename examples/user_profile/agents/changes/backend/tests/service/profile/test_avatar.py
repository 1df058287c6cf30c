"""Uploading a picture."""

import pytest
from members.profiles.avatars import picture_type

PICTURES = {
    "jpg": b"\xff\xd8\xff\xe0" + bytes(16),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(16),
    "gif": b"GIF89a" + bytes(16),
}


@pytest.fixture
def upload(client, join):
    member = join()

    def send(content: bytes, name: str = "picture.png"):
        return client.post(
            f"/api/profile/{member.id}/avatar", headers=member.headers, files={"avatar": (name, content)}
        )

    return send


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_is_stored_and_served_as_what_it_is(client, upload, kind):
    url = upload(PICTURES[kind], name="wrong.txt").json()["avatar_url"]
    served = client.get(url)
    assert url.endswith(f".{kind}")
    assert served.content == PICTURES[kind]
    assert served.headers["x-content-type-options"] == "nosniff"


def test_a_new_picture_replaces_the_former_one(client, upload, settings):
    first, second = (upload(PICTURES[kind]).json()["avatar_url"] for kind in ("png", "gif"))
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    assert len(list(settings.upload_folder.iterdir())) == 1


def test_five_megabytes_are_accepted_and_one_byte_more_is_not(upload, settings):
    largest = PICTURES["png"].ljust(5 * 1024 * 1024, b"\0")
    assert upload(largest + b"\0").status_code == 413
    assert not settings.upload_folder.exists()
    assert upload(largest).status_code == 200


def test_what_only_calls_itself_a_picture_is_refused(upload):
    assert upload(b"<svg onload='alert(1)'/>", name="picture.png").status_code == 415
    assert picture_type(b"") is None


def test_an_upload_without_a_file_is_refused(client, join):
    member = join()
    assert client.post(f"/api/profile/{member.id}/avatar", headers=member.headers).status_code == 422


@pytest.mark.parametrize("name", ["..%2Fmembers.db", "nothing.png", f"{'0' * 32}-{'0' * 16}.exe"])
def test_only_pictures_are_served(client, name):
    assert client.get(f"/media/avatars/{name}").status_code in {404, 422}
