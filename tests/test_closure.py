"""The import closure has every file that a script runs, and no other."""

import ast
from pathlib import Path

import pytest

from digits.training.imports import import_closure, imported_names


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Give a repository with a package of stages and a library of a package in a package."""
    files = {
        "stages/__init__.py": "import library.start\n",
        "stages/train.py": "import os\nimport numpy\nfrom library.model import build\n",
        "library/__init__.py": "",
        "library/start.py": "",
        "library/model.py": "def build():\n    from library.deep import layers\n    import library.circle\n",
        "library/circle.py": "from library.model import build\n",
        "library/deep/__init__.py": "",
        "library/deep/layers.py": "",
        "library/deep/unused.py": "",
        "library/types.py": "",
        "numpy.txt": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_closure_goes_through_packages_functions_and_circles(repository: Path) -> None:
    assert {
        "stages/__init__.py",
        "stages/train.py",
        "library/__init__.py",
        "library/start.py",
        "library/model.py",
        "library/circle.py",
        "library/deep/__init__.py",
        "library/deep/layers.py",
    } == import_closure(Path("stages/train.py"), repository)


def test_the_closure_begins_at_the_current_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)

    assert import_closure(Path("stages/train.py"), repository) == import_closure(Path("stages/train.py"))


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import a", ["a"]),
        ("import a.b, c as d", ["a.b", "c"]),
        ("from a import b, c", ["a.b", "a.c"]),
        ("from a.b import c", ["a.b.c"]),
        ("def f():\n    import a", ["a"]),
        ("class C:\n    def f(self):\n        if x:\n            import a", ["a"]),
        ("try:\n    import a\nexcept ImportError:\n    import b", ["a", "b"]),
        ("if TYPE_CHECKING:\n    import a\nimport b", ["b"]),
        ("def __getattr__(name):\n    import a\nimport b", ["b"]),
        ("if x:\n    import a\nelse:\n    import b", ["a", "b"]),
        ("'import a'", []),
    ],
)
def test_every_import_that_may_run_is_named(code: str, names: list[str]) -> None:
    assert names == list(imported_names(ast.parse(code)))
