"""Every catalogue holds all that the program says, and says it with the same fields."""

from __future__ import annotations

import re
import string
from gettext import GNUTranslations
from typing import TYPE_CHECKING

import polib
import pytest
from catalogues import LOCALES, updated

if TYPE_CHECKING:
    from pathlib import Path

CATALOGUES = sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))
TYPED = re.compile(
    r"Ctrl\+\S|\bF\d+\b|--[a-z-]+|num_ctx|[A-Z]+_[A-Z_]+[A-Z]|qwentui (?:model|persona|config|import|sessions|doctor)\b"
)
"""What a user types as it stands."""
pytestmark = pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)


def fields(text: str) -> list[tuple[str, str | None, str | None]]:
    """The fields of a message with how they are shown; their order is the translator's."""
    parts = string.Formatter().parse(text)
    return sorted({(name, spec, conversion) for _, name, spec, conversion in parts if name is not None})


def test_it_has_every_message_and_no_other(path: Path) -> None:
    assert path.read_bytes() == updated(path), "run: python tests/catalogues.py"


def test_every_message_is_translated(path: Path) -> None:
    catalogue = polib.pofile(str(path))
    missing = [entry.msgid for entry in catalogue if not entry.translated()]
    assert missing == []


def test_the_fields_are_those_of_the_source(path: Path) -> None:
    for entry in polib.pofile(str(path)):
        for said in [entry.msgstr] if entry.msgstr else entry.msgstr_plural.values():
            assert fields(said) == fields(entry.msgid_plural or entry.msgid), entry.msgid


def test_keys_and_ends_are_as_in_the_source(path: Path) -> None:
    """What a user types stays, and a sentence stays a sentence."""
    for entry in polib.pofile(str(path)):
        for said in [entry.msgstr] if entry.msgstr else entry.msgstr_plural.values():
            assert sorted(set(TYPED.findall(said))) == sorted(set(TYPED.findall(entry.msgid))), entry.msgid
            assert said.endswith("\n") == entry.msgid.endswith("\n"), entry.msgid
            assert entry.msgid[-1] != "." or said[-1] in "。.…", entry.msgid


def test_what_is_installed_is_what_stands_there(path: Path) -> None:
    source = polib.pofile(str(path))
    with path.with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    for entry in source:
        if not entry.msgid_plural and not entry.msgctxt:
            assert compiled.gettext(entry.msgid) == entry.msgstr, (
                "install again: the build compiles catalogues"
            )
