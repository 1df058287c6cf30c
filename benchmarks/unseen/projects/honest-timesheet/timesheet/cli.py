import argparse
import pathlib
import sys

from . import reports
from .durations import show
from .entries import parse


def print_table(rows: dict[str, int]) -> None:
    width = max(map(len, rows), default=0)
    for name, minutes in rows.items():
        print(f"{name:<{width}}  {show(minutes):>6}")


def cmd_totals(entries, args) -> None:
    print_table(reports.totals(entries))


def cmd_days(entries, args) -> None:
    print_table(reports.days(entries))


# Every command gets the entries and the parsed arguments.
COMMANDS = {
    "totals": cmd_totals,

    "days": cmd_days,
}


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="timesheet")
    parser.add_argument("command", choices=list(COMMANDS))
    parser.add_argument("file", type=pathlib.Path)
    args = parser.parse_args(argv)

    try:
        COMMANDS[args.command](parse(args.file.read_text(encoding="utf-8")), args)
    except (OSError, ValueError) as error:
        print(f"timesheet: {error}", file=sys.stderr)
        return 2
    return 0
