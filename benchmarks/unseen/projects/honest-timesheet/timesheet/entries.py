import datetime
from dataclasses import dataclass

from .durations import span


@dataclass(frozen=True)
class Entry:
    day: datetime.date
    minutes: int
    project: str


class BadLine(ValueError):
    def __init__(self, number: int, reason: str):
        super().__init__(f"line {number}: {reason}")
        self.number = number


def parse(text: str) -> list[Entry]:
    entries = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != 4:
            raise BadLine(number, "needs four columns")
        try:
            entries.append(Entry(datetime.date.fromisoformat(parts[0]), span(parts[1], parts[2]), parts[3].strip()))
        except ValueError as error:
            raise BadLine(number, str(error)) from error
    return entries
