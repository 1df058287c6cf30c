import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent


def test_openapi_is_current():
    done = subprocess.run([sys.executable, ROOT / "tools" / "openapi.py", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
