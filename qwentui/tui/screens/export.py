"""Where a chat is written to, and as what."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from qwentui.chat.errors import StoreError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _
from qwentui.tui.widgets.line import Line

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from qwentui.store.paths import Paths
    from qwentui.store.sessions import SessionStore
    from qwentui.tui.talks import Talks

_FORMATS = {
    "markdown": (".md", N_("to read: what the chat shows")),
    "jsonl": (".jsonl", N_("everything, all versions; qwentui import takes it back")),
    "openai": (".openai.jsonl", N_("fine-tuning lines: what the chat shows")),
}
_LONGEST_NAME = 40


def default_name(title: str, day: str) -> str:
    """A file's name, without its ending, by the chat's title and the day."""
    letters = "".join(letter if letter.isalnum() else " " for letter in title)
    return "-".join([day, *letters.split()])[: len(day) + 1 + _LONGEST_NAME].rstrip("-")


def write_session(store: SessionStore, session: str, form: str, path: Path, *, overwrite: bool) -> int:
    """Write a session to `path`. Returns how many bytes that were.

    Raises:
        StoreError: There is no such session, nothing to write, or the file cannot be written.
    """
    from qwentui.store.files import replaced
    from qwentui.store.jsonl import Format, exported

    pieces = exported(store.database, (session,), Format(form))
    first = next(pieces, None)
    if first is None:
        raise StoreError(_("There is no reply in this chat yet, so this form of it is empty."))
    with replaced(path, overwrite=overwrite) as file:
        size = file.write(first)
        for piece in pieces:
            size += file.write(piece)
    return size


def export_folder(paths: Paths) -> Path:
    """Where a file goes whose name says no folder."""
    return Path.cwd() if os.access(".", os.W_OK) else paths.data


def exported_as(form: str, path: Path, size: int) -> str:
    """What to say of a chat that was written, in `size` bytes."""
    told = _("Exported as {form} to {path} ({size:,.1f} kB).")
    return told.format(form=form, path=sanitize_line(str(path)), size=size / 1000)


class ExportScreen(ModalScreen[str | None]):
    """Writes one session to a file, and gives a sentence that says where it lies; None where it did not.

    Args:
        talks: The store.
        session: The session's id.
        title: Its title.
        paths: The user's folders; the data folder takes the file where the working directory cannot.
    """

    BINDINGS: ClassVar[list[Binding | tuple[str, str] | tuple[str, str, str]]] = [
        Binding("escape", "back", "Back", show=False, priority=True),
        Binding("tab,down", "form(1)", "Next form", show=False, priority=True),
        Binding("shift+tab,up", "form(-1)", "Form before", show=False, priority=True),
    ]

    def __init__(self, talks: Talks, session: str, title: str, paths: Paths) -> None:
        super().__init__()
        self._talks = talks
        self._session = session
        self._folder = export_folder(paths)
        self._form = "markdown"
        self._occupied: Path | None = None
        self._forms = Static("", markup=False)
        self._message = Static("", id="hint", markup=False)
        stem = default_name(title, time.strftime("%Y-%m-%d"))
        self._file = Line(stem + _FORMATS[self._form][0])

    def compose(self) -> ComposeResult:
        """The forms, the name, what to press."""
        with Vertical(id="panel"):
            yield self._forms
            yield self._file
            yield self._message

    def on_mount(self) -> None:
        """Begin in the name."""
        self.set_focus(self._file)
        self._show()

    def _show(self) -> None:
        text = Text(_("Export as") + "\n\n")
        for form, (_ending, about) in _FORMATS.items():
            chosen = form == self._form
            text.append(f" {'›' if chosen else ' '} {form:<10}", "bold" if chosen else "")
            text.append(f"{_(about)}\n", "dim")
        folder = sanitize_line(str(self._folder))
        text.append("\n" + _("to a file in {folder}").format(folder=folder))
        self._forms.update(text)
        self._message.update(_("enter writes it · tab another form · esc goes back"))

    def action_form(self, step: int) -> None:
        """Take another form, and its ending for the name."""
        forms = list(_FORMATS)
        ending = _FORMATS[self._form][0]
        self._form = forms[(forms.index(self._form) + step) % len(forms)]
        if self._file.value.endswith(ending):
            self._file.value = self._file.value.removesuffix(ending) + _FORMATS[self._form][0]
            self._file.cursor_position = len(self._file.value)
        self._show()

    def action_back(self) -> None:
        """Write nothing."""
        self.dismiss(None)

    async def on_input_submitted(self, event: Input.Submitted) -> None:
        """Write the file; one that lies there already, only when it is asked for once more."""
        event.stop()
        name = event.value.strip()
        if not name:
            self._message.update(_("The file needs a name."))
            return
        form, session, occupied = self._form, self._session, self._occupied

        def job(store: SessionStore) -> tuple[Path, int | None]:
            path = self._folder / Path(name).expanduser()
            if path.exists() and path != occupied:
                return path, None
            return path, write_session(store, session, form, path, overwrite=path == occupied)

        try:
            path, size = await self._talks.read(job)
        except (StoreError, RuntimeError) as error:
            self._message.update(str(error))
            return
        if size is None:
            self._occupied = path
            self._message.update(_("There is such a file already: enter replaces it, or give another name."))
        else:
            self.dismiss(exported_as(form, path, size))
