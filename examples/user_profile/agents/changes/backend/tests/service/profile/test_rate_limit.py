"""The limit on profile updates."""

import uuid

from members.profiles.rate_limit import RateLimit


def test_uses_are_allowed_again_when_the_window_has_passed():
    seconds = [0.0]
    limit = RateLimit(2, seconds=60, clock=lambda: seconds[0])
    member = uuid.uuid4()
    assert [limit.seconds_to_wait(member) for _ in range(3)] == [0, 0, 60]
    seconds[0] = 59.5
    assert limit.seconds_to_wait(member) == 1
    seconds[0] = 60.0
    assert limit.seconds_to_wait(member) == 0


def test_the_eleventh_update_in_an_hour_is_refused_for_this_member_only(client, join):
    eager, other = join(), join()

    def update(member):
        change = {"name": member.name, "email": member.email}
        return client.put(f"/api/profile/{member.id}", headers=member.headers, json=change)

    answers = [update(eager) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 3600
    assert update(other).status_code == 200
