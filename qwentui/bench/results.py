"""The results that are kept: one JSON file a bench, named by its id."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from qwentui.bench.run import Result
from qwentui.chat.errors import SettingsError, StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _
from qwentui.store.paths import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

_DECODER = msgspec.json.Decoder(Result)
_SUFFIX = ".json"


class Results:
    """The results in one folder.

    Args:
        folder: Where they lie; it need not exist.
        damaged: Is told the sentence about each file that cannot be read.
    """

    def __init__(self, folder: Path, damaged: Callable[[str], None]) -> None:
        self._folder = folder
        self._damaged = damaged

    def ids(self) -> frozenset[str]:
        """The ids that are taken, those of damaged files too."""
        return frozenset(path.stem for path in self._folder.glob(f"*{_SUFFIX}"))

    def all(self) -> list[Result]:
        """Those that can be read, oldest first."""
        found = [self._read(path) for path in sorted(self._folder.glob(f"*{_SUFFIX}"))]
        return sorted((result for result in found if result), key=lambda kept: (kept.started_at, kept.id))

    def find(self, part: str, among: list[Result]) -> Result:
        """The one whose id begins with `part`.

        Raises:
            SettingsError: There is none, or there are several.
        """
        fit = [result for result in among if result.id.startswith(part)]
        exact = [result for result in fit if result.id == part]
        if len(exact or fit) == 1:
            return (exact or fit)[0]
        shown = sanitize_line(part, 40)
        if fit:
            names = ", ".join(result.id for result in fit)
            several = _("Several benches begin with {id}: {names}.").format(id=shown, names=names)
            raise SettingsError(several, _("Name one of them."))
        raise SettingsError(_("There is no bench {id}.").format(id=shown), _("See: qwentui bench --list"))

    def keep(self, result: Result) -> Path:
        """Put `result` on disk as a whole, readable by this user only.

        Raises:
            StoreError: The disk refuses.
        """
        target = self._folder / f"{result.id}{_SUFFIX}"
        data = msgspec.json.format(msgspec.json.encode(result), indent=1)
        try:
            private_folder(self._folder)
            descriptor, name = tempfile.mkstemp(prefix=".bench-", dir=self._folder)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(target)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            refused = _("{path} cannot be written: {reason}.")
            raise StoreError(refused.format(path=target, reason=error.strerror or error)) from error
        return target

    def _read(self, path: Path) -> Result | None:
        try:
            return _DECODER.decode(path.read_bytes())
        except msgspec.MsgspecError as error:
            why = sanitize_line(str(error), 100)
        except OSError as error:
            why = str(error.strerror or error)
        left_out = _("{path} is left out: {reason}.")
        self._damaged(left_out.format(path=sanitize_line(str(path)), reason=why.rstrip(".")))
        return None
