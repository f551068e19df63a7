"""The user's settings: one frozen value, made once at the start and handed down.

A value comes from the environment, else from the profile in use, else from the rest of `config.toml`, else
from the default here; flags are laid over by the caller with `msgspec.structs.replace`. An environment
variable is QWENTUI_ and the key's path in capitals (`QWENTUI_SERVER_BEARER`); `OLLAMA_HOST` stands in for
`server.host`. Secrets have no flag, for a flag shows in `ps`. A profile is a table `[profile.NAME]` with the
same sections inside. What each key means to a user is told in `settings_text`, which a start has no need of.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from qwentui.chat.errors import SettingsError
from qwentui.keyboard.table import KEYS
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PROGRAM_VARIABLES = frozenset({"QWENTUI_PROFILE", "QWENTUI_OUTPUT"})
"""The variables of the program that stand for no key."""

Positive = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0)]


class _Section(msgspec.Struct, frozen=True, kw_only=True):
    """A table of the file; a key that is not declared is passed over, and warned about when it is read."""


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
    """How the program looks and writes to the terminal; `fps` is frames a second while text streams.

    `theme` "auto" goes by the terminal: its colours, and its background where COLORFGBG tells it.
    """

    language: Literal["auto", "en", "zh_CN"] = "auto"
    theme: str = "auto"
    mouse: bool = True
    vim: bool = False
    output: Literal["diff", "plain"] = "diff"
    footer: bool = True
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
    """All settings.

    `keys` has the keys that the user bound otherwise, as they are written, by the ids of the table of keys.
    """

    server: Server = Server()
    model: Model = Model()
    context: Context = Context()
    retry: Retry = Retry()
    chat: Chat = Chat()
    gauges: Gauges = Gauges()
    log: Log = Log()
    screen: Screen = Screen()
    keys: dict[str, str] = {}


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, and how they came about.

    Attributes:
        settings: The values.
        warnings: One sentence for each key, and each variable of the program, that is unknown.
        sources: Where each value that is not a default comes from, by its key's path: the name of an
            environment variable, "profile NAME", or "file".
    """

    settings: Settings
    warnings: tuple[str, ...]
    sources: dict[str, str]


def read_settings(path: Path, environ: Mapping[str, str], profile: str | None = None) -> Loaded:
    """The settings of `path`, which need not exist, under those of a profile and of `environ`.

    Args:
        path: The file.
        environ: The environment.
        profile: The profile's name, "" for none; None goes by `QWENTUI_PROFILE`.

    Raises:
        SettingsError: The file cannot be read, a value cannot be used, or there is no such profile; the
            message names the place.
    """
    table = read_table(path)
    profiles = _take_profiles(table, path)
    kinds = paths()
    stated = list(_stated(table))
    unknown = [key for key in stated if key not in kinds]
    for name, sections in profiles.items():
        unknown += [f"profile.{name}.{key}" for key in _stated(sections) if key not in kinds]
    sources = dict.fromkeys(stated, "file")
    if name := environ.get("QWENTUI_PROFILE", "") if profile is None else profile:
        sources |= dict.fromkeys(_lay_profile(table, profiles, name, path), f"profile {name}")
    for key, kind in kinds.items():
        variable = variable_of(key)
        text = environ.get(variable)
        if text is not None:
            _lay(table, key.split("."), _from_environment(variable, kind, text))
            sources[key] = variable
    settings = _convert(table, path, sources)
    if not settings.server.host and environ.get("OLLAMA_HOST"):
        server = msgspec.structs.replace(settings.server, host=environ["OLLAMA_HOST"])
        settings = msgspec.structs.replace(settings, server=server)
        sources["server.host"] = "OLLAMA_HOST"
    return Loaded(settings=settings, warnings=_warnings(unknown, list(kinds), environ), sources=sources)


def read_table(path: Path) -> dict[str, Any]:
    """What stands in the file at `path`, unchecked; nothing where there is none.

    Raises:
        SettingsError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            _("{path} is not valid TOML: {reason}.").format(path=path, reason=error),
            _("Correct that place or move the file away."),
        ) from error
    except OSError as error:
        sentence = _("{path} cannot be read: {reason}.").format(path=path, reason=error.strerror)
        raise SettingsError(sentence, _("Check its permissions.")) from error


def leaves() -> dict[str, Any]:
    """The type of every key, by its path (`model.num_ctx`), in the order in which they are declared."""
    sections = [section for section in msgspec.structs.fields(Settings) if section.name != "keys"]
    return {
        f"{section.name}.{field.name}": field.type
        for section in sections
        for field in msgspec.structs.fields(section.type)
    }


def paths() -> dict[str, Any]:
    """As `leaves`, with those of the table of keys."""
    return leaves() | {f"keys.{key.id}": str for key in KEYS}


def variable_of(key: str) -> str:
    """The environment variable that stands for a key: `QWENTUI_MODEL_NUM_CTX`."""
    return "QWENTUI_" + key.replace(".", "_").upper()


def value_of(settings: Settings, key: str) -> Any:  # noqa: ANN401 - any setting's value
    """The value of a key, by its path."""
    section, _, name = key.partition(".")
    return getattr(getattr(settings, section), name)


def with_value(settings: Settings, key: str, value: object) -> Settings:
    """`settings` with another value for a key."""
    section, _, name = key.partition(".")
    changed = msgspec.structs.replace(getattr(settings, section), **{name: value})
    return msgspec.structs.replace(settings, **{section: changed})


def _stated(table: dict[str, Any]) -> Iterator[str]:
    """The paths of the keys that stand in a table of sections; of an unknown section just its name."""
    for section, values in table.items():
        if section not in Settings.__struct_fields__:
            yield section
        elif isinstance(values, dict):
            yield from (f"{section}.{key}" for key in values)


def _take_profiles(table: dict[str, Any], path: Path) -> dict[str, dict[str, Any]]:
    profiles = table.pop("profile", {})
    if not (isinstance(profiles, dict) and all(isinstance(inner, dict) for inner in profiles.values())):
        raise SettingsError(
            _("{path}, profile: this is not a table of profiles.").format(path=path),
            _("A profile is written [profile.NAME.server]."),
        )
    return profiles


def _lay_profile(
    table: dict[str, Any], profiles: dict[str, dict[str, Any]], name: str, path: Path
) -> list[str]:
    """Lay the profile of that name over `table`; the paths of its keys."""
    if name not in profiles:
        hint = _("{path} has none.").format(path=path)
        if profiles:
            hint = _("Known are: {names}.").format(names=", ".join(profiles))
        raise SettingsError(_("There is no profile {name!r}.").format(name=name), hint)
    for section, values in profiles[name].items():
        below = table.get(section, {})
        if not isinstance(values, dict) or not isinstance(below, dict):
            place = f"profile.{name}.{section}" if isinstance(below, dict) else section
            sentence = _("{path}, {key}: this is not a table.").format(path=path, key=place)
            raise SettingsError(sentence, _("Correct it or remove it."))
        table[section] = {**below, **values}
    return list(_stated(profiles[name]))


def _warnings(unknown: list[str], known: list[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    variables = {*map(variable_of, known), *PROGRAM_VARIABLES}
    misspelt = [name for name in environ if name.startswith("QWENTUI_") and name not in variables]
    if not unknown and not misspelt:
        return ()
    from qwentui.store.setting_words import unknown_key, unknown_variable

    return (
        *(unknown_key(key, known) for key in unknown),
        *(unknown_variable(name, sorted(variables)) for name in misspelt),
    )


def _from_environment(variable: str, kind: object, text: str) -> object:
    try:
        if kind is str:
            return text
        if text[:1] in ("{", "["):
            return msgspec.json.decode(text, type=kind)
        return msgspec.convert(text, kind, strict=False)
    except msgspec.MsgspecError as error:
        raise SettingsError(
            _("{variable} cannot be used: {reason}.").format(variable=variable, reason=_lower(str(error))),
            _("Correct it or unset it."),
        ) from error


def _lay(table: dict[str, Any], keys: list[str], value: object) -> None:
    for key in keys[:-1]:
        inner = table.setdefault(key, {})
        if not isinstance(inner, dict):
            return
        table = inner
    table[keys[-1]] = value


def _convert(table: dict[str, Any], path: Path, sources: dict[str, str]) -> Settings:
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        from qwentui.store.setting_words import allowed

        what, _separator, where = str(error).partition(" - at `$")
        where = where.strip(".`")
        if where == "keys[...]":
            where = next(f"keys.{name}" for name, text in table["keys"].items() if not isinstance(text, str))
        key = where.partition("[")[0]
        source = sources.get(key, "file")
        if source.startswith("profile "):
            where = f"profile.{source.removeprefix('profile ')}.{where}"
        sentence = _("{path}, {key}: {reason}.") if where else _("{path}: {reason}.")
        kind = paths().get(key)
        hint = _("Correct it or remove it.")
        if kind is not None:
            hint = _("It is {allowed}. Correct it or remove it.").format(allowed=allowed(kind))
        raise SettingsError(sentence.format(path=path, key=where, reason=_lower(what)), hint) from error


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
