"""Which files of this repository a script runs: its import closure, read from the source."""

import ast
from collections.abc import Iterator
from pathlib import Path


def import_closure(script: Path, root: Path = Path()) -> set[str]:
    """Give the files that `python -m` runs for `script`: itself, its package, and what both import.

    Imports inside functions count; those under `if TYPE_CHECKING:` do not, since nothing runs them,
    nor those of a module's `__getattr__`, which answers to names that no stage and no noun asks for.

    Args:
        script: a Python file, relative to `root`.
        root: the folder from which the packages are imported.

    Returns:
        Paths relative to `root`, with `/` between their parts.
    """
    closure: set[str] = set()
    waiting = [script, *_files_of(".".join(script.with_suffix("").parts), root)]
    while waiting:
        path = waiting.pop()
        if path.as_posix() in closure:
            continue
        closure.add(path.as_posix())
        for name in imported_names(ast.parse((root / path).read_text(encoding="utf-8"))):
            waiting.extend(_files_of(name, root))
    return closure


def imported_names(tree: ast.AST) -> Iterator[str]:
    """Give the dotted name of each import that may run, `from a import b` as `a.b`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.FunctionDef) and node.name == "__getattr__":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imported_names(node)


def _files_of(name: str, root: Path) -> Iterator[Path]:
    parts = name.split(".")
    for length in range(1, len(parts) + 1):
        module = Path(*parts[:length])
        for path in (module / "__init__.py", module.with_suffix(".py")):
            if (root / path).is_file():
                yield path
