"""Pictures that are kept, and compared with what is drawn now.

A picture that changed is looked at, and accepted by running its test with ACCEPT_SNAPSHOTS=1.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def assert_looks_as(stored: Path, drawn: str, tmp_path: Path) -> None:
    """Fail where `drawn` is not what lies in `stored`; the new picture is put into `tmp_path`."""
    if os.environ.get("ACCEPT_SNAPSHOTS"):
        stored.write_text(drawn, encoding="utf-8")
    if not stored.exists() or stored.read_text(encoding="utf-8") != drawn:
        fresh = tmp_path / stored.name
        fresh.write_text(drawn, encoding="utf-8")
        pytest.fail(f"{stored.name} looks different; the new picture is {fresh}", pytrace=False)
