"""What the tests of the commands on the store share: a store in a folder, and a command run as in a shell."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

from qwentui.chat.conversation import Reply
from qwentui.chat.message import Message, Role
from qwentui.chat.stream import FinishReason
from qwentui.store.database import Database
from qwentui.store.sessions import SessionStore

if TYPE_CHECKING:
    from pathlib import Path

QWENTUI = [sys.executable, "-m", "qwentui"]
DAY = 86400.0


def environment(data: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(data),
        "XDG_DATA_HOME": str(data),
        "TZ": "UTC",
    }


def qwentui(
    data: Path, *arguments: str | Path, stdout: int = subprocess.PIPE
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*QWENTUI, *map(str, arguments)],
        env=environment(data),
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )


def in_home(home: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `home`, which is the working directory, too; its output is text."""
    return subprocess.run(
        [*QWENTUI, *arguments],
        env=environment(home) | variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
        cwd=home,
    )


def talking_to(home: Path, server: str) -> dict[str, str]:
    """The environment of a command that asks the model at `server`."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", "OLLAMA_HOST": server}


def asking(
    home: Path, server: str, *arguments: str, piped: bytes | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run a command that asks the model at `server`, with something piped in."""
    return subprocess.run(
        [*QWENTUI, *arguments],
        env=talking_to(home, server),
        input=piped,
        stdin=subprocess.DEVNULL if piped is None else None,
        capture_output=True,
        check=False,
        timeout=60,
    )


def chat(
    data: Path,
    *texts: str,
    days: float = 0.0,
    title: str = "",
    tags: tuple[str, ...] = (),
    pinned: bool = False,
) -> str:
    """Put a chat of that age into the store below `data`: a question and an answer by turns. Returns its id."""
    then = time.time() - days * DAY
    with closing(Database.open(data / "qwentui" / "sessions.db")) as database:
        store = SessionStore(database, lambda: then)
        session = store.create(title=title, model="qwen3:32b", tags=tags)
        for question, reply in zip(texts[::2], texts[1::2], strict=True):
            number = store.messages.begin_reply(store.messages.ask(session, question), model="qwen3:32b")
            store.messages.finish_reply(
                number, Reply(Message(Role.ASSISTANT, reply), FinishReason.STOP, "qwen3:32b")
            )
        store.pin(session, pinned)
    return session
