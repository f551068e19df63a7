"""The settings as a user reads them: what each key means, and the file that states them all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from qwentui.keyboard.keymap import DEFAULT
from qwentui.language import N_, _
from qwentui.store.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DESCRIPTIONS = {
    "server.host": N_("by the rules of OLLAMA_HOST, which stands in when this is empty"),
    "server.api": N_('"ollama", "openai", or find out'),
    "server.user": N_("basic auth"),
    "server.password": N_("of basic auth"),
    "server.bearer": N_("a token"),
    "server.headers": '{ "CF-Access-Client-Id" = "..." }',
    "server.ca_file": N_("trust these authorities instead of the system's"),
    "server.client_cert": N_("a file with the certificate that this client shows"),
    "server.client_key": N_("and the file with its key"),
    "server.verify": N_("false accepts any certificate"),
    "server.uds": N_("connect through this Unix socket"),
    "server.trust_env": N_("let HTTP_PROXY and its kin apply"),
    "model.name": N_('"": the one that is loaded, else the first'),
    "model.think": N_('"on", "off", or the model\'s own default'),
    "model.system": N_("the system prompt"),
    "model.num_ctx": N_("tokens; goes with every request, for another value reloads the model"),
    "model.num_predict": N_("tokens of a reply at most"),
    "model.keep_alive": N_('how long the model stays loaded; "-1" for always'),
    "model.preload": N_('"start" or "typing": load the model before it is asked'),
    "model.temperature": N_("this and the rest is unset: the model's own"),
    "model.top_k": N_("only so many of the likeliest tokens are drawn from"),
    "model.top_p": N_("only the likeliest tokens that make up this share are drawn from"),
    "model.min_p": N_("only tokens at least this share as likely as the likeliest are drawn from"),
    "model.repeat_penalty": N_("above 1 makes repeating less likely"),
    "model.seed": N_("the same one draws the same tokens again"),
    "model.stop": N_("texts at which a reply ends"),
    "context.budget": N_("tokens of a prompt at most, and never above num_ctx less reply_room"),
    "context.reply_room": N_("tokens kept for the reply"),
    "context.drop_rounds": N_("over the budget, so many of the oldest rounds leave at a time"),
    "context.keep_rounds": N_("the newest rounds stay"),
    "retry.attempts": N_("tries after a failure, or a broken reply, that bring no new text; 0 for none"),
    "retry.delay": N_("seconds before each"),
    "retry.busy_delay": N_("seconds, when the server says that it is busy"),
    "retry.jitter": N_("up to this share of a pause on top, so that clients do not come back together"),
    "retry.longest": N_("seconds up to which a server's own Retry-After is honoured"),
    "retry.breaks": N_("times that one reply is taken up where it broke"),
    "retry.restart_wait": N_("seconds for which a server that is gone is looked for"),
    "retry.restart_pause": N_("seconds between two looks at most"),
    "retry.silence": N_("seconds without a byte until a reply counts as broken"),
    "chat.parallel": N_("replies that run at once; more prompts wait for their turn"),
    "chat.titles": N_('the first line that was said; "model" asks the model for one, when nothing else runs'),
    "gauges.vram_gib": N_("GiB of the card of a server elsewhere, which does not tell; 0: not shown"),
    "log.file": N_("a file for the usage log, one JSON object for each exchange; also --log-file"),
    "log.log_prompts": N_("true writes the texts too"),
    "log.max_bytes": N_("the size from which on it becomes FILE.1"),
    "log.keep": N_("rotated files that stay"),
    "screen.language": N_('"en" or "zh_CN"; "auto" goes by LANG'),
    "screen.theme": N_('a name of `qwentui theme list`; "auto" goes by the terminal'),
    "screen.mouse": N_("false leaves the mouse to the terminal"),
    "screen.vim": N_("true gives the composer vim's normal mode behind Escape"),
    "screen.output": N_('"plain" turns the output stage off, as QWENTUI_OUTPUT=plain does'),
    "screen.footer": N_("false leaves out the line that names the keys"),
    "screen.fps": N_("frames a second while text streams"),
    "screen.clipboard": N_('"tmux" passes it through tmux, "file" writes a file'),
}
"""One line for each key, by its path; those of `keys` are told by the table of keys."""

_EXAMPLES: dict[str, object] = {
    "model.temperature": 0.6,
    "model.top_k": 20,
    "model.top_p": 0.95,
    "model.min_p": 0.0,
    "model.repeat_penalty": 1.0,
    "model.seed": 1,
    "model.stop": ("END",),
}
"""Values for the keys that have no default; Qwen3's own where it states one."""

_HEAD = N_("""\
# ~/.config/qwentui/config.toml: every key with its default. Each is also an environment variable:
# QWENTUI_ and its path in capitals, as in QWENTUI_SERVER_BEARER.
""")

_TAIL = N_("""
# A profile has the same sections, laid over those above by --profile a10 or QWENTUI_PROFILE=a10:
# [profile.a10.server]
# host = "a10:11434"
""")

_KEYS_HEAD = N_('Keys of your own in place of these: one, or several with commas between them, "" for none.')

SECRETS = ("server.password", "server.bearer", "server.headers")
"""The keys whose values let someone in."""

_MASK = "***"


def default_file() -> str:
    """The whole settings file with every default and what it means."""
    defaults = msgspec.to_builtins(Settings())
    del defaults["keys"]
    sections = ["\n".join(_section(name, values)) for name, values in defaults.items()]
    return "\n".join([_(_HEAD), "\n\n".join([*sections, "\n".join(_keys())]), _(_TAIL)])


def _section(name: str, values: dict[str, Any]) -> Iterator[str]:
    yield f"[{name}]"
    lines = {}
    for key, value in values.items():
        path = f"{name}.{key}"
        stated = f"{key} = {toml_value(_EXAMPLES[path] if value is None else value)}"
        lines[path] = f"# {stated}" if value is None else stated
    width = max(len(line) for line in lines.values())
    for path, line in lines.items():
        yield f"{line:<{width}}  # {_(DESCRIPTIONS[path])}"


def _keys() -> Iterator[str]:
    yield "[keys]"
    yield f"# {_(_KEYS_HEAD)}"
    lines = {name: f"# {name} = {toml_value(', '.join(DEFAULT.spoken(name)))}" for name in DEFAULT.keys}
    width = max(map(len, lines.values()))
    for name, line in lines.items():
        yield f"{line:<{width}}  # {_(DEFAULT[name].help)}"


def toml_value(value: object) -> str:
    """`value` as TOML writes it, in one line."""
    if isinstance(value, str):
        # JSON's strings are TOML's, but for the one control character that JSON leaves as it is.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dict):
        pairs = ", ".join(f"{toml_value(key)} = {toml_value(inner)}" for key, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)


def masked(key: str, value: object) -> object:
    """`value` as it may be shown: without what lets someone in."""
    if not value:
        return value
    if key in SECRETS:
        return dict.fromkeys(value, _MASK) if isinstance(value, dict) else _MASK
    if key == "server.host" and isinstance(value, str) and "@" in value:
        before, _at, place = value.rpartition("@")
        scheme, separator, _user = before.partition("://")
        return f"{scheme}{separator}{_MASK}@{place}" if separator else f"{_MASK}@{place}"
    return value
