"""Viewing and editing a profile."""

import uuid

import pytest


@pytest.fixture
def member(join):
    return join("Someone")


def profile_url(member) -> str:
    return f"/api/profile/{member.id}"


def test_a_new_profile_holds_the_account_and_nothing_else(client, member):
    profile = client.get(profile_url(member), headers=member.headers).json()
    assert {key: profile[key] for key in ("id", "name", "email", "bio", "avatar_url")} == {
        "id": member.id,
        "name": "Someone",
        "email": member.email,
        "bio": None,
        "avatar_url": None,
    }
    assert profile["created_at"].endswith("Z")


def test_without_a_token_nothing_is_shown_or_changed(client, member):
    url = profile_url(member)
    answers = [
        client.get(url),
        client.put(url, json={"name": "Other", "email": member.email}),
        client.post(f"{url}/avatar", files={"avatar": b"GIF89a"}),
    ]
    assert [answer.status_code for answer in answers] == [401, 401, 401]


def test_an_update_is_kept_trimmed_and_dated(client, member):
    url = profile_url(member)
    before = client.get(url, headers=member.headers).json()
    change = {"name": "  New Name ", "email": f"NEW-{member.email}", "bio": "Likes tests."}
    updated = client.put(url, headers=member.headers, json=change).json()
    assert updated["name"] == "New Name"
    assert updated["email"] == f"new-{member.email}"
    assert updated["updated_at"] > before["updated_at"]
    assert client.get(url, headers=member.headers).json() == updated


@pytest.mark.parametrize(
    "change",
    [
        {"name": " "},
        {"name": "n" * 101},
        {"email": "not-an-address"},
        {"bio": "b" * 501},
        {"name": None},
    ],
    ids=["empty name", "long name", "bad address", "long bio", "no name"],
)
def test_an_invalid_update_is_refused_and_changes_nothing(client, member, change):
    url = profile_url(member)
    before = client.get(url, headers=member.headers).json()
    valid = {"name": "Someone", "email": member.email, "bio": "b" * 500}
    assert client.put(url, headers=member.headers, json=valid | change).status_code == 422
    assert client.get(url, headers=member.headers).json() == before


def test_the_address_of_another_member_is_refused(client, member, join):
    taken = {"name": "Someone", "email": join().email}
    assert client.put(profile_url(member), headers=member.headers, json=taken).status_code == 409


def test_others_see_a_public_profile_but_cannot_change_it(client, member, join):
    private, public = join(), join(is_public=True)
    change = {"name": "Taken Over", "email": public.email}
    picture = {"avatar": b"GIF89a"}
    assert client.get(profile_url(private), headers=member.headers).status_code == 403
    assert client.get(profile_url(public), headers=member.headers).status_code == 200
    assert client.put(profile_url(public), headers=member.headers, json=change).status_code == 403
    assert client.post(f"{profile_url(public)}/avatar", headers=member.headers, files=picture).status_code == 403


def test_a_profile_of_nobody_is_not_found(client, member):
    assert client.get(f"/api/profile/{uuid.uuid4()}", headers=member.headers).status_code == 404
    assert client.get("/api/profile/no-id", headers=member.headers).status_code == 422


def test_the_api_document_declares_every_refusal(client):
    paths = client.get("/openapi.json").json()["paths"]
    declared = {
        (method, path): set(operation["responses"])
        for path, operations in paths.items()
        if path.startswith("/api/profile")
        for method, operation in operations.items()
    }
    assert declared == {
        ("get", "/api/profile/{user_id}"): {"200", "401", "403", "404", "422"},
        ("put", "/api/profile/{user_id}"): {"200", "401", "403", "404", "409", "422", "429"},
        ("post", "/api/profile/{user_id}/avatar"): {"200", "401", "403", "404", "413", "415", "422"},
    }
