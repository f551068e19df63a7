"""Compile the catalogues that translators edit into those that gettext loads; a step of every build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polib
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


def compile_catalogues(package: Path) -> None:
    """Write a `.mo` beside every `.po` below the folder of the package."""
    for source in sorted((package / "locale").glob("*/LC_MESSAGES/*.po")):
        polib.pofile(str(source)).save_as_mofile(str(source.with_suffix(".mo")))


class Catalogues(BuildHookInterface):  # type: ignore[type-arg]
    """Runs before a wheel is packed, an editable one too."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Compile."""
        compile_catalogues(Path(self.root) / "qwentui")
