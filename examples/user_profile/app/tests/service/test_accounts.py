"""Registering and signing in."""

import uuid
from dataclasses import replace

import pytest
from members.main import create_app
from members.security import issue_token
from members.settings import Settings


def test_a_new_member_can_sign_in_and_see_the_own_account(client, join):
    member = join("Someone New")
    answer = client.get("/api/auth/me", headers=member.headers)
    assert answer.json() == {"id": member.id, "name": "Someone New", "email": member.email, "is_public": False}


def test_an_address_belongs_to_one_member_whatever_its_case(client, join):
    account = {"name": "Second", "email": join().email.upper(), "password": uuid.uuid4().hex}
    assert client.post("/api/auth/register", json=account).status_code == 409


def test_a_wrong_password_and_an_unknown_address_are_refused_alike(client, join):
    wrong = uuid.uuid4().hex
    answers = [
        client.post("/api/auth/token", json={"email": email, "password": wrong})
        for email in (join().email, "nobody@example.org")
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


def test_a_token_is_refused_when_it_is_missing_forged_expired_or_of_nobody(client, settings):
    nobody = uuid.uuid4()
    tokens = {
        "forged": issue_token(nobody, Settings()),
        "expired": issue_token(nobody, replace(settings, token_minutes=-1)),
        "of nobody": issue_token(nobody, settings),
    }
    headers = [{}, *({"Authorization": f"Bearer {token}"} for token in tokens.values())]
    assert [client.get("/api/auth/me", headers=header).status_code for header in headers] == [401] * 4


@pytest.mark.parametrize("email", ["", "no-at-sign", "two@@example.org", "no-dot@example", "a b@example.org"])
def test_what_is_no_address_cannot_register(client, email):
    account = {"name": "Someone", "email": email, "password": uuid.uuid4().hex}
    assert client.post("/api/auth/register", json=account).status_code == 422


def test_settings_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("MEMBERS_DATABASE_URL", f"sqlite:///{tmp_path}/other.db")
    monkeypatch.setenv("MEMBERS_TOKEN_MINUTES", "5")
    settings = create_app().state.settings
    assert settings.database_url.endswith("other.db")
    assert settings.token_minutes == 5
