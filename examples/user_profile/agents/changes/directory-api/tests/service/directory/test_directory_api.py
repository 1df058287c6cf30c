"""The directory's endpoints."""

import uuid

import pytest
from members.models import User, now


@pytest.fixture
def member(client, join):
    """A member who has just joined, to the microsecond."""
    member = join("Newcomer")
    with client.app.state.sessions() as session:
        user = session.get(User, uuid.UUID(member.id))
        user.created_at = user.updated_at = now()
        session.commit()
    return member


def test_a_newcomer_is_listed_without_a_last_change(client, member):
    entry = client.get(f"/api/directory/{member.id}", headers=member.headers).json()
    assert entry == {"id": member.id, "name": "Newcomer", "member_since": now().year, "last_change": None}


def test_a_member_takes_another_name(client, member):
    url = f"/api/directory/{member.id}"
    assert client.put(f"{url}/name", headers=member.headers, json={"name": "n" * 40}).json() == {"name": "n" * 40}
    assert client.get(url, headers=member.headers).json()["last_change"] is not None


def test_names_that_are_taken_or_too_long_are_refused(client, member, join):
    join("Taken")
    url = f"/api/directory/{member.id}/name"
    codes = [client.put(url, headers=member.headers, json={"name": name}).status_code for name in ("Taken", "n" * 41)]
    assert codes == [400, 422]


def test_others_and_nobody_cannot_be_renamed(client, member, join):
    codes = [
        client.put(f"/api/directory/{user_id}/name", headers=member.headers, json={"name": "Other"}).status_code
        for user_id in (join().id, uuid.uuid4())
    ]
    assert codes == [403, 404]
