"""Scripted agent that fails on purpose: it looks for what its track needs, and ends with 3 because it is not there."""

import sys
from pathlib import Path

from scripted import read_assignment, say

GLOSSARY = Path("translations/glossary.txt")

if __name__ == "__main__":
    say(f"track {read_assignment()['task_id']}: looking for {GLOSSARY}")
    if not GLOSSARY.is_file():
        print(f"cannot translate: {GLOSSARY} does not exist, and only a person can write it", file=sys.stderr)
        sys.exit(3)
