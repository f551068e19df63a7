"""The user's settings: one frozen value, made once at the start and handed down.

A value comes from the environment, else from `config.toml`, else from the default here; flags are laid over
by the caller with `msgspec.structs.replace`. An environment variable is QWENTUI_ and the key's path in
capitals (`QWENTUI_SERVER_BEARER`); `OLLAMA_HOST` stands in for `server.host`. Secrets have no flag, for a
flag shows in `ps`.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from qwentui.chat.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file; an unknown key is an error that names its place."""


class Server(_Section, frozen=True, kw_only=True):
    """Where the model is served and how to get in.

    `host` follows OLLAMA_HOST's rules. `user` and `password` are for basic auth, `bearer` for a token.
    `uds` is a Unix socket to connect through. `trust_env` lets HTTP_PROXY and its kin apply.
    """

    host: str = ""
    api: Literal["auto", "ollama", "openai"] = "auto"
    user: str = ""
    password: str = ""
    bearer: str = ""
    headers: dict[str, str] = {}
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    verify: bool = True
    uds: str = ""
    trust_env: bool = False


class Model(_Section, frozen=True, kw_only=True):
    """What is asked of the model.

    `name` "" takes the loaded model, else the first. `num_ctx` and `num_predict` are tokens; `num_ctx` goes
    with every request, for another value reloads the model. `keep_alive` is Ollama's ("5m", "-1").
    `preload` has the model loaded before it is asked: when the program starts, or when typing does.
    """

    name: str = ""
    think: Literal["default", "on", "off"] = "default"
    system: str = ""
    num_ctx: Positive = 8192
    num_predict: Positive = 4096
    keep_alive: str = "5m"
    preload: Literal["off", "start", "typing"] = "off"
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None


class Context(_Section, frozen=True, kw_only=True):
    """How a long conversation is kept inside the context; all but the counts of rounds are tokens.

    Over `budget`, the oldest `drop_rounds` rounds leave the request, again and again, while the newest
    `keep_rounds` stay. The budget is never above `model.num_ctx` less `reply_room`.
    """

    budget: Positive = 7500
    reply_room: Positive = 512
    drop_rounds: Positive = 2
    keep_rounds: Positive = 3


class Retry(_Section, frozen=True, kw_only=True):
    """How a request that failed, or a reply that broke, is tried again; durations in seconds.

    The names are those of `RetryPolicy`; `silence` is how long a reply may say nothing until it counts as
    broken.
    """

    attempts: Annotated[int, msgspec.Meta(ge=0, le=100)] = 2
    delay: Seconds = 0.5
    busy_delay: Seconds = 2.0
    jitter: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.2
    longest: Seconds = 30.0
    breaks: Annotated[int, msgspec.Meta(ge=0)] = 20
    restart_wait: Seconds = 60.0
    restart_pause: Seconds = 5.0
    silence: Seconds = 300.0


class Chat(_Section, frozen=True, kw_only=True):
    """How several chats share the server.

    `parallel` is how many replies run at once; more prompts wait. `titles` "model" asks the model for a title
    after the first reply; "first" takes the first line of what was said first, which costs nothing.
    """

    parallel: Positive = 3
    titles: Literal["first", "model"] = "first"


class Screen(_Section, frozen=True, kw_only=True):
    """How the program looks and writes to the terminal; `fps` is frames a second while text streams."""

    theme: str = "qwentui-dark"
    mouse: bool = True
    output: Literal["diff", "plain"] = "diff"
    fps: Annotated[int, msgspec.Meta(ge=1, le=60)] = 30
    clipboard: Literal["osc52", "tmux", "file"] = "osc52"


class Gauges(_Section, frozen=True, kw_only=True):
    """What the gauges cannot find out; `vram_gib` is what the card of a server elsewhere has, 0 unknown."""

    vram_gib: Annotated[float, msgspec.Meta(ge=0)] = 0.0


class Log(_Section, frozen=True, kw_only=True):
    """The usage log, a JSON object a line; `file` "" writes none. `max_bytes` and `keep` rotate it."""

    file: str = ""
    log_prompts: bool = False
    max_bytes: Positive = 10_000_000
    keep: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 3


class Settings(_Section, frozen=True, kw_only=True):
    """All settings."""

    server: Server = Server()
    model: Model = Model()
    context: Context = Context()
    retry: Retry = Retry()
    chat: Chat = Chat()
    gauges: Gauges = Gauges()
    log: Log = Log()
    screen: Screen = Screen()


def load_settings(path: Path, environ: Mapping[str, str]) -> Settings:
    """The settings of `path`, which need not exist, under those of `environ`.

    Raises:
        SettingsError: The file cannot be read or a value cannot be used; the message names the place.
    """
    table = _read(path)
    for keys, kind in _leaves(Settings):
        text = environ.get("QWENTUI_" + "_".join(keys).upper())
        if text is not None:
            _lay(table, keys, _from_environment(keys, kind, text))
    settings = _convert(table, path)
    if settings.server.host or not environ.get("OLLAMA_HOST"):
        return settings
    server = msgspec.structs.replace(settings.server, host=environ["OLLAMA_HOST"])
    return msgspec.structs.replace(settings, server=server)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} is not valid TOML: {error}.", "Correct that place or move the file away."
        ) from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}.", "Check its permissions.") from error


def _leaves(
    section: type[msgspec.Struct], before: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Any]]:
    for field in msgspec.structs.fields(section):
        keys = (*before, field.name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _leaves(field.type, keys)
        else:
            yield keys, field.type


def _from_environment(keys: tuple[str, ...], kind: object, text: str) -> object:
    try:
        if kind is str:
            return text
        if text[:1] in ("{", "["):
            return msgspec.json.decode(text, type=kind)
        return msgspec.convert(text, kind, strict=False)
    except msgspec.MsgspecError as error:
        name = "QWENTUI_" + "_".join(keys).upper()
        raise SettingsError(
            f"{name} cannot be used: {_lower(str(error))}.", "Correct it or unset it."
        ) from error


def _lay(table: dict[str, Any], keys: tuple[str, ...], value: object) -> None:
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        table = inner
    table[keys[-1]] = value


def _convert(table: dict[str, Any], path: Path) -> Settings:
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        place = f"{path}, {where.strip('.`')}" if where.strip(".`") else str(path)
        raise SettingsError(f"{place}: {_lower(what)}.", "Correct it or remove it.") from error


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
