"""Scripted agent of the end-to-end track: applies changes/e2e and collects its tests; they need the other tracks."""

import sys

from scripted import Tests, main

if __name__ == "__main__":
    sys.exit(main("e2e", Tests("e2e", collect_only="needs the backend and the frontend, which other tracks make")))
