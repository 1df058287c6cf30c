"""Count what says how far types reach: loose JSON, casts and reads by string key; and how large rooms and modules are.

Usage: python benchmarks/structure.py [FOLDER], the folder of a checkout; this one where none is given.
"""

import ast
import sys
from collections import Counter
from pathlib import Path

PACKAGES = ("contexts", "tasks", "flows")
LOOSE = {"dict[str, Any]", "Mapping[str, Any]", "dict[str, object]", "Mapping[str, object]", "JsonObject"}


def loose(tree: ast.AST) -> Counter[str]:
    """Return how often JSON of unknown shape stands for a type, a cast is made, and a value is read by a string key."""
    found: Counter[str] = Counter()
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript | ast.Name) and (name := ast.unparse(node)) in LOOSE:
            found[name] += 1
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast":
            found["cast"] += 1
        by_key = isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and is_text(node.slice)
        gets = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get"
        if by_key or (gets and node.args and is_text(node.args[0])):
            found["read by key"] += 1
    return found


def is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def rooms(package: Path) -> tuple[list[str], list[str]]:
    """Return modules and folders of a package's first floor."""
    files = [path.stem for path in sorted(package.glob("*.py")) if path.stem != "__init__"]
    return files, [path.name for path in sorted(package.iterdir()) if (path / "__init__.py").exists()]


def modules(root: Path) -> list[Path]:
    return [path for name in PACKAGES for path in sorted((root / name).rglob("*.py")) if "templates" not in path.parts]


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parents[1])
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in modules(root)}
    found: Counter[str] = Counter()
    for path in lengths:
        found += loose(ast.parse(path.read_text(encoding="utf-8")))
    print(f"{len(lengths)} modules, {sum(lengths.values()):,} lines, the longest {max(lengths.values())}")
    for name in PACKAGES:
        files, folders = rooms(root / name)
        print(f"{name}/: {len(files)} modules and {len(folders)} folders on its first floor")
    print(", ".join(f"{name}: {found[name]}" for name in (*sorted(LOOSE), "cast", "read by key")))
    print(f"loose types and casts together: {sum(count for name, count in found.items() if name != 'read by key')}")


if __name__ == "__main__":
    main()
