"""NVIDIA's library as a small one of our own says what a test wants, for the real nvidia-ml-py to load.

    stub = NvmlStub(tmp_path)                  # compiles it, once for all tests of a run
    stub.say("cards 2", "card1.used 20900")    # what the cards are from now on
    subprocess.run(..., env=os.environ | stub.environ)

The loader reads LD_LIBRARY_PATH when a process starts; so whatever is to see the cards is a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_SOURCE = Path(__file__).parent / "telemetry" / "nvml_stub.c"


class NvmlStub:
    """Cards that are what a file says; `environ` makes a process see them."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "cards.txt"
        self.environ = {"LD_LIBRARY_PATH": str(_library()), "NVML_STUB": str(self._script)}
        self.say()

    def say(self, *lines: str) -> None:
        """Change what the cards are; a driver and one A10 go without saying."""
        text = "\n".join([*lines, "driver 580.65.06", "cards 1"]) + "\n"
        fresh = self._script.with_suffix(".new")
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(self._script)


def _library() -> Path:
    """The folder of the compiled library; a new source makes a new one."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        pytest.skip("there is no C compiler")
    mark = hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"qwentui-nvml-{os.getuid()}-{mark}"
    library = folder / "libnvidia-ml.so.1"
    if not library.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
        fresh = folder / f"{os.getpid()}.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", fresh, _SOURCE], check=True)
        fresh.replace(library)
    return folder
