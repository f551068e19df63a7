"""Brings the catalogues up to the source, and compiles them: python tests/catalogues.py.

What is new stands in them untranslated, what is gone is dropped; a test fails until a translator has been there.
"""

from __future__ import annotations

import ast
import re
import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir, extract_python
from babel.messages.pofile import read_po, write_po

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
LOCALES = ROOT / "qwentui" / "locale"
NOISE = re.compile(
    rb'^"(?:Report-Msgid-Bugs-To|POT-Creation-Date|PO-Revision-Date|Last-Translator):.*\n', re.MULTILINE
)
"""Headers that would change with every run, or that nobody fills in."""
KEYWORDS = {**DEFAULT_KEYWORDS, "N_": None, "NP_": ((1, "c"), 2), "Key": (4,)}
"""What marks a message; of a row in the table of keys that is its help."""


def messages(file: BinaryIO, *how: Any, options: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """What a module marks, and the docstrings of its commands, which their help shows; as Babel asks for it."""
    yield from extract_python(file, *how, options)
    file.seek(0)
    for node in ast.walk(ast.parse(file.read())):
        if not (isinstance(node, ast.FunctionDef) and any(map(_makes_command, node.decorator_list))):
            continue
        if text := ast.get_docstring(node):
            yield node.lineno, None, text, []


def _makes_command(decorator: ast.expr) -> bool:
    maker = decorator.func if isinstance(decorator, ast.Call) else None
    return isinstance(maker, ast.Attribute) and maker.attr in ("command", "group")


def extracted() -> Catalog:
    """Every message that the source marks."""
    catalog = Catalog(project="qwentui", charset="utf-8")
    found = extract_from_dir(ROOT / "qwentui", [("**.py", messages)], keywords=KEYWORDS)
    for path, _, message, _, context in found:
        place = f"qwentui/{Path(path).as_posix()}"
        known = catalog.get(message, context)
        # A file is named once, and no line: a translator finds the place, and a moved line changes nothing.
        if known is None or (place, None) not in known.locations:
            catalog.add(message, locations=[(place, None)], context=context)
    return catalog


def updated(path: Path) -> bytes:
    """The catalogue at `path` with exactly the messages of the source."""
    with path.open("rb") as file:
        catalog = read_po(file, locale=path.parent.parent.name)
    catalog.update(extracted(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    out = BytesIO()
    write_po(out, catalog, width=110, sort_by_file=True, omit_header=False, include_lineno=False)
    return NOISE.sub(b"", out.getvalue())


def main() -> None:
    """Update every catalogue, and compile it."""
    sys.path.insert(0, str(ROOT))
    from build_catalogues import compile_catalogues

    for path in LOCALES.glob("*/LC_MESSAGES/*.po"):
        path.write_bytes(updated(path))
    compile_catalogues(ROOT / "qwentui")


if __name__ == "__main__":
    main()
