"""Writes openapi.json from the application; --check only compares."""
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from inventory.app import create_app  # noqa: E402

text = json.dumps(create_app("sqlite://").openapi(), indent=1, sort_keys=True) + "\n"
target = ROOT / "openapi.json"
if "--check" in sys.argv:
    sys.exit(0 if target.read_text() == text else "openapi.json is out of date")
target.write_text(text)
