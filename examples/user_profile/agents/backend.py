"""Scripted agent of the backend track: applies changes/backend and runs its tests."""

import sys

from scripted import Tests, main

if __name__ == "__main__":
    sys.exit(main("backend", Tests("tests/service/profile")))
