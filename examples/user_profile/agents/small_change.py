"""Scripted agent of any small track: applies changes/NAME and, where it is told to, runs its tests.

small_change.py NAME [--tests FOLDER] [--pause SECONDS]
"""

import argparse
import sys

from scripted import Tests, main

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Apply a prepared change.", add_help=False)
    parser.add_argument("name")
    parser.add_argument("--tests")
    options, rest = parser.parse_known_args()
    sys.exit(main(options.name, Tests(options.tests) if options.tests else None, rest))
