"""What holds the house: sizes of files, classes and functions, and what a start may import."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = sorted((ROOT / "qwentui").rglob("*.py"))


def _length(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_class_or_function_is_too_long(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            assert _length(node) <= 250, f"class {node.name}"
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert _length(node) <= 50, f"function {node.name}"


def test_the_command_line_imports_nothing_heavy() -> None:
    code = (
        "import sys, qwentui.cli\n"
        "heavy = {'textual', 'rich', 'httpx', 'tiktoken', 'jinja2', 'msgspec', 'sqlite3'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_the_screen_imports_no_network_and_no_vocabulary() -> None:
    code = (
        "import sys, qwentui.tui.app\n"
        "heavy = {'httpx', 'tiktoken', 'jinja2', 'sqlite3', 'pygments.lexers.python'} & set(sys.modules)\n"
        "sys.exit(', '.join(sorted(heavy)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
