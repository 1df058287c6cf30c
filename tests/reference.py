"""Where the reference lies: six context documents and a text about them, from outside the checkout.

A clone has none of them, so the tests that read them are marked `reference`, and `make test-reference` alone runs those.
Run as a module to be told the folder of the documents.
"""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("PLAIT_REFERENCE") or Path(__file__).parents[2] / "shared" / "reference").absolute()
DOCUMENTS = FOLDER / "documents"
TEXT = FOLDER / "parallel-workflow-example.txt"

if __name__ == "__main__":
    print(DOCUMENTS)
