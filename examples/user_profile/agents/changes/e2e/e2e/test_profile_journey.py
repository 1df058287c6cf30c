"""A member's way through the profile, over HTTP."""

import re
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest

PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
SELECTORS = {
    "profile-avatar",
    "profile-name",
    "profile-email",
    "profile-bio",
    "edit-profile-btn",
    "input-name",
    "input-email",
    "input-bio",
    "avatar-upload",
    "save-profile-btn",
    "cancel-btn",
}


def test_a_member_views_edits_and_illustrates_the_profile(visitor, join):
    member = join("Before")
    first = member.get(member.profile).json()
    assert (first["name"], first["bio"], first["avatar_url"]) == ("Before", None, None)

    change = {"name": "After", "email": member.email, "bio": "Edited end to end."}
    assert member.put(member.profile, json=change).status_code == 200
    picture = member.post(f"{member.profile}/avatar", files={"avatar": ("me.png", PNG)}).json()["avatar_url"]

    last = member.get(member.profile).json()
    assert last.items() >= {**change, "avatar_url": picture}.items()
    assert visitor.get(picture).content == PNG


def test_a_visitor_is_asked_to_sign_in(visitor, join):
    profile = join().profile
    assert visitor.get(profile).status_code == 401
    assert visitor.put(profile, json={}).status_code == 401
    assert visitor.post(f"{profile}/avatar", files={"avatar": PNG}).status_code == 401


def test_other_members_are_kept_out_unless_the_profile_is_public(join):
    member, private, public = join(), join(), join(is_public=True)
    change = {"name": "Stranger", "email": member.email}
    assert member.get(private.profile).status_code == 403
    assert member.get(public.profile).status_code == 200
    assert member.put(public.profile, json=change).status_code == 403
    assert member.post(f"{public.profile}/avatar", files={"avatar": PNG}).status_code == 403
    assert member.get(f"/api/profile/{uuid.uuid4()}").status_code == 404


def test_wrong_input_is_refused_with_the_right_code(join):
    member, other = join(), join()
    valid = {"name": "Member", "email": member.email, "bio": None}
    wrong = {"empty name": {"name": ""}, "no address": {"email": "nobody"}, "long bio": {"bio": "b" * 501}}
    codes = {case: member.put(member.profile, json=valid | change).status_code for case, change in wrong.items()}
    assert codes == dict.fromkeys(wrong, 422)
    assert member.put(member.profile, json=valid | {"email": other.email}).status_code == 409
    large = member.post(f"{member.profile}/avatar", files={"avatar": PNG.ljust(5 * 1024 * 1024 + 1, b"\0")})
    text = member.post(f"{member.profile}/avatar", files={"avatar": ("me.png", b"not a picture")})
    assert (large.status_code, text.status_code) == (413, 415)


def test_too_many_changes_have_to_wait(join):
    member = join()
    valid = {"name": "Member", "email": member.email}
    codes = [member.put(member.profile, json=valid).status_code for _ in range(11)]
    assert codes == [200] * 10 + [429]


def test_the_served_page_has_every_element_a_user_needs(visitor):
    page = visitor.get("/app/profile.html")
    assert page.status_code == 200
    assert set(re.findall(r'data-testid="([\w-]+)"', page.text)) >= SELECTORS
    for source in re.findall(r'src="([^"]+\.js)"', page.text):
        assert "javascript" in visitor.get(f"/app/{source}").headers["content-type"]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed: the page's script cannot run")
def test_the_page_s_own_script_gets_through_to_the_server(base_url, join):
    member = join("Before")
    token = member.headers["Authorization"].removeprefix("Bearer ")
    driver = str(Path(__file__).with_name("drive_page_api.mjs"))
    run = subprocess.run(
        ["node", driver, base_url, token, member.profile.rpartition("/")[2], member.email],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert member.get(member.profile).json()["name"] == "Driven by the page's script"
