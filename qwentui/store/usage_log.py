"""The usage log: a JSON object a line for each exchange, for `jq` and its kin.

A line is appended by one write, so several programs may share the file. Durations are whole milliseconds,
counts are tokens, lengths are characters; what is not known is null. The text itself is in it only when the
settings say so (`log.log_prompts`). Once the file is larger than `max_bytes` it becomes FILE.1, and FILE.1
becomes FILE.2.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from qwentui.chat.errors import StoreError
from qwentui.language import _
from qwentui.store.paths import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from qwentui.chat.conversation import Reply

_SALT_BYTES = 16
_CLIENT_DIGITS = 12


@dataclass(frozen=True, slots=True)
class Exchange:
    """One question and how it was answered.

    `trimmed` is whether older rounds were left out, `retries` counts the tries after the first one.
    """

    prompt: str
    reply: Reply
    persona: str = ""
    trimmed: bool = False
    retries: int = 0


def client_of(environ: Mapping[str, str], salt: bytes) -> str:
    """Who asks, nameless: the address in SSH_CONNECTION hashed with this machine's salt, else "local"."""
    address = environ.get("SSH_CONNECTION", "").split(" ")[0]
    if not address:
        return "local"
    return hashlib.sha256(salt + address.encode(errors="replace")).hexdigest()[:_CLIENT_DIGITS]


def load_salt(path: Path) -> bytes:
    """The salt of this machine, made on first use.

    Raises:
        OSError: It can neither be read nor made.
    """
    with suppress(FileNotFoundError):
        return path.read_bytes()
    private_folder(path.parent)
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, secrets.token_bytes(_SALT_BYTES))
        finally:
            os.close(handle)
    return path.read_bytes()


def record_of(exchange: Exchange, client: str, *, with_text: bool, now: datetime) -> dict[str, Any]:
    """The object of one line; `duration` and `prompt` are the names that the recipe's own queries use."""
    reply, usage, server = exchange.reply, exchange.reply.usage, exchange.reply.usage.server
    record: dict[str, Any] = {
        "time": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "client": client,
        "model": reply.model,
        "persona": exchange.persona,
        "prompt_length": len(exchange.prompt),
        "response_length": len(reply.message.content),
        "prompt_tokens": server.prompt_eval_count,
        "tokens": server.eval_count,
        "duration": _milliseconds(usage.elapsed),
        "ttft": _milliseconds(usage.ttft),
        "load_duration": _milliseconds(server.load_duration),
        "prompt_eval_duration": _milliseconds(server.prompt_eval_duration),
        "eval_duration": _milliseconds(server.eval_duration),
        "trimmed": exchange.trimmed,
        "retries": exchange.retries,
        "finish_reason": str(reply.finish_reason),
    }
    if with_text:
        record |= {"prompt": exchange.prompt, "response": reply.message.content}
    return record


def _milliseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1000)


class UsageLog:
    """Writes exchanges in a thread of its own, which begins with the first one.

    Args:
        path: The file.
        salt: Where this machine's salt lies.
        client: The environment, for who asks.
        with_text: Whether prompts and responses are written too.
        max_bytes: The size from which on the file is rotated.
        keep: How many rotated files stay.
        warn: Told once, in that thread, when the disk refuses.
    """

    def __init__(
        self,
        path: Path,
        salt: Path,
        client: Mapping[str, str],
        *,
        with_text: bool = False,
        max_bytes: int = 10_000_000,
        keep: int = 3,
        warn: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._path = path
        self._salt = salt
        self._environ = client
        self._with_text = with_text
        self._max_bytes = max_bytes
        self._keep = keep
        self._warn = warn
        self._warned = False
        self._queue: SimpleQueue[tuple[Exchange, datetime] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def add(self, exchange: Exchange) -> None:
        """Write it soon; never waits."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="usage-log", daemon=True)
            self._thread.start()
        self._queue.put((exchange, datetime.now(UTC)))

    def close(self, timeout: float = 1.0) -> None:
        """Write what waits, for `timeout` seconds at most."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join(timeout)

    def _work(self) -> None:
        while (item := self._queue.get()) is not None:
            try:
                self._append(*item)
            except OSError as error:
                if not self._warned:
                    self._warned = True
                    sentence = _("The usage log {path} cannot be written: {reason}.")
                    self._warn(sentence.format(path=self._path, reason=error.strerror or error))

    def _append(self, exchange: Exchange, now: datetime) -> None:
        client = client_of(self._environ, load_salt(self._salt))
        record = record_of(exchange, client, with_text=self._with_text, now=now)
        line = (
            json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"
        )
        private_folder(self._path.parent)
        self._rotate(len(line))
        handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line)
        finally:
            os.close(handle)

    def _rotate(self, more: int) -> None:
        """Move the file aside where `more` bytes would make it too large; another program may do the same."""
        with suppress(FileNotFoundError):
            size = self._path.stat().st_size
            if not size or size + more <= self._max_bytes:
                return
            for number in range(self._keep, 0, -1):
                older = self._path if number == 1 else self._numbered(number - 1)
                if older.exists():
                    older.replace(self._numbered(number))
            if self._keep < 1:
                self._path.unlink()

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")


def log_path(text: str) -> Path:
    """The file that a setting or a flag names.

    Raises:
        StoreError: It is a folder.
    """
    from pathlib import Path

    path = Path(text).expanduser()
    if path.is_dir():
        sentence = _("The usage log {path} is a folder.").format(path=path)
        raise StoreError(sentence, _("Name a file, as --log-file chat.log."))
    return path
