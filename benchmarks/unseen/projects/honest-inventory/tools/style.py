"""House rules: no line over 120 characters, no tabs, no space at a line's end, no print in the product."""
import pathlib
import sys


def problems(path: pathlib.Path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if len(line) > 120:
            yield number, "line too long"
        if "\t" in line:
            yield number, "tab"
        if line != line.rstrip():
            yield number, "space at the end"


found = 0
for folder in sys.argv[1:]:
    for path in sorted(pathlib.Path(folder).rglob("*.py")):
        for number, text in problems(path):
            print(f"{path}:{number}: {text}")
            found += 1
sys.exit(1 if found else 0)
