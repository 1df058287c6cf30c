import http.server
import threading
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("outside")


def answers(result):
    return {answer["name"]: answer for answer in result.json()["answers"]}


def test_all_is_well_on_a_machine_that_can_run_plait(call):
    result = call("doctor", "--json")
    assert result.code == 0
    found = answers(result)
    assert {"python", "git", "store", "store: create-only", "server"} <= set(found)
    assert {answer["status"] for answer in found.values()} <= {"ok", "warn"}
    assert "create-only" in call("doctor").out


def test_a_store_that_cannot_be_used_is_exit_code_6(call, tmp_path):
    (tmp_path / "file").write_text("")
    result = call("doctor", "--json", "--store", tmp_path / "file")
    assert result.code == 6
    assert any(name.startswith("store") and answer["status"] == "fail" for name, answer in answers(result).items())


def test_an_old_or_missing_git_is_said_with_what_to_do(call, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = call("doctor", "--json")
    assert missing.code == 2
    assert answers(missing)["git"]["advice"] == "install git 2.38 or newer"
    program = tmp_path / "git"
    program.write_text("#!/bin/sh\necho git version 2.20.1\n")
    program.chmod(0o755)
    assert answers(call("doctor", "--json"))["git"]["status"] == "fail"


def test_a_specs_agents_are_checked(call, tmp_path):
    call("init", "minimal", tmp_path)
    assert answers(call("doctor", tmp_path / "plait.yaml", "--json"))["agents"]["status"] == "ok"
    spec = tmp_path / "plait.yaml"
    spec.write_text(spec.read_text().replace('"{python}"', "no-such-program-anywhere"))
    broken = call("doctor", spec, "--json")
    assert broken.code == 2
    assert "no-such-program-anywhere" in answers(broken)["agents"]["detail"]
    assert answers(call("doctor", tmp_path / "none.yaml", "--json"))["spec"]["status"] == "fail"


@pytest.fixture
def server():
    class Health(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/api/health" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_prefect_server_is_asked_whether_it_lives(call, server, monkeypatch):
    monkeypatch.setenv("PREFECT_API_URL", server)
    assert answers(call("doctor", "--json"))["server"]["status"] == "ok"
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    assert answers(call("doctor", "--json"))["server"]["status"] == "warn"
    monkeypatch.setenv("PREFECT_API_URL", "localhost")
    assert answers(call("doctor", "--json"))["server"]["status"] == "fail"


def test_the_server_of_the_active_profile_is_found(call, server, tmp_path, monkeypatch):
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path))
    Path(tmp_path / "profiles.toml").write_text(f'active = "mine"\n[profiles.mine]\nPREFECT_API_URL = "{server}"\n')
    assert server in answers(call("doctor", "--json"))["server"]["detail"]
