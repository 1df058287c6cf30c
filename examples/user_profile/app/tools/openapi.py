"""Print the application's OpenAPI document as JSON, without starting it.

python tools/openapi.py > openapi.json
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from members.main import create_app
from members.settings import Settings


def main() -> None:
    """Build the application on a database in memory; nothing is read from it."""
    app = create_app(Settings(database_url="sqlite://"))
    json.dump(app.openapi(), sys.stdout, indent=2, sort_keys=True)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
