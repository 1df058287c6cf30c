"""check.py style: long lines and tabs.  check.py size REPORT: how long the functions are."""
import ast
import json
import pathlib
import sys

FILES = sorted(pathlib.Path("timesheet").rglob("*.py"))


def style() -> int:
    bad = 0
    for path in FILES + sorted(pathlib.Path("tests").rglob("*.py")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if len(line) > 125 or line != line.rstrip():
                print(f"{path}:{number}: style")
                bad += 1
    return 1 if bad else 0


def size(report: str) -> int:
    lengths = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                lengths[f"{path}:{node.name}"] = node.end_lineno - node.lineno + 1
    lines = sum(len(path.read_text().splitlines()) for path in FILES)
    result = {"lines": lines, "functions": {"count": len(lengths), "longest": max(lengths.values())}}
    pathlib.Path(report).write_text(json.dumps(result))
    print(result, max(lengths, key=lengths.get))
    return 0


sys.exit(style() if sys.argv[1] == "style" else size(sys.argv[2]))
