"""Scripted agent of the frontend track: applies changes/frontend and runs its tests."""

import sys

from scripted import Tests, main

if __name__ == "__main__":
    sys.exit(main("frontend", Tests("tests/frontend")))
