"""Changing the settings file: the value is there, and everything else is as it was."""

from __future__ import annotations

import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwentui.chat.errors import SettingsError, StoreError
from qwentui.store.settings import leaves, paths, read_settings
from qwentui.store.settings_edit import set_value, unset_value
from qwentui.store.settings_text import default_file, toml_value

COMMENTED = """\
# mine
[server]  # the box
host = "a10"  # upstairs

[model]
# long talks
num_ctx = 4096   # what fits
# the end of model

[profile.big.model]  # the other card
num_ctx = 32768
"""

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NUMBERS = st.floats(0, 1) | st.integers(0, 1)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "server.headers": st.dictionaries(TEXTS, TEXTS, max_size=3),
    "model.stop": st.lists(TEXTS, max_size=3),
}


def values(key: str, kind: Any) -> st.SearchStrategy[Any]:
    """Values that the key may have."""
    if key in VALUES:
        return VALUES[key]
    if kind is str:
        return TEXTS
    if kind is bool:
        return st.booleans()
    if isinstance(choices := get_args(kind), tuple) and choices and isinstance(choices[0], str):
        return st.sampled_from(choices)
    return NUMBERS if float in (kind, *choices) else st.integers(1, 50)


SETTINGS = st.sampled_from(sorted(leaves().items())).flatmap(
    lambda item: st.tuples(st.just(item[0]), values(*item))
)


KEYS = st.tuples(
    st.sampled_from([path for path in paths() if path.startswith("keys.")]),
    st.sampled_from(["", "f12", "Ctrl+L, Esc", "x"]),
)


def argument(value: object) -> str:
    return value if isinstance(value, str) else toml_value(value)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(SETTINGS | KEYS, min_size=1, max_size=3),
    st.sampled_from(["", COMMENTED, default_file()]),
    st.data(),
)
def test_what_was_set_is_read_back_and_nothing_else_changes(
    changes: list[tuple[str, Any]], text: str, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(text, encoding="utf-8")
        for key, value in changes:
            profile = data.draw(st.sampled_from(["", "big", "new", "a.b c"]))
            before = tomllib.loads(path.read_text(encoding="utf-8"))
            section, _, name = key.partition(".")
            set_value(path, f"profile.{profile}.{key}" if profile else key, argument(value))
            table = before.setdefault("profile", {}).setdefault(profile, {}) if profile else before
            table.setdefault(section, {})[name] = value
            assert tomllib.loads(path.read_text(encoding="utf-8")) == before
            loaded = read_settings(path, {"QWENTUI_PROFILE": profile}).settings
            found = loaded.keys[name] if section == "keys" else getattr(getattr(loaded, section), name)
            assert (list(found) if isinstance(found, tuple) else found) == value


@settings(max_examples=50, deadline=None)
@given(SETTINGS | KEYS, st.sampled_from([COMMENTED, default_file()]))
def test_comments_and_order_survive(change: tuple[str, Any], text: str) -> None:
    key, value = change
    with TemporaryDirectory() as folder:
        path = Path(folder) / "config.toml"
        path.write_text(text, encoding="utf-8")
        set_value(path, key, argument(value))
        after = path.read_bytes().decode()
        name = key.partition(".")[2]
        kept = iter(after.split("\n"))
        for line in text.split("\n"):
            # A changed line keeps its comment; the others are as they were, in their order.
            changed = line.startswith(f"{name} = ")
            tail = line.partition("#")[2]
            assert line in kept if not changed else any(tail in other for other in kept), line


def refused(path: Path, key: str, value: str) -> str:
    """What a refusal says; "" for none."""
    try:
        set_value(path, key, value)
    except SettingsError as error:
        return error.message
    return ""


def test_the_file_is_made_for_its_user_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "config.toml"
    set_value(path, "model.num_ctx", "4096")
    assert path.read_text() == "[model]\nnum_ctx = 4096\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o644)
    set_value(path, "server.host", "a10")
    assert path.read_text() == '[model]\nnum_ctx = 4096\n\n[server]\nhost = "a10"\n'
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_comment_stays_at_the_value_that_changed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    set_value(path, "model.num_ctx", "8000")
    assert path.read_text() == COMMENTED.replace("4096 ", "8000 ")


def test_headers_that_are_a_section_stay_one(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[server.headers]\na = 'b' # c\nd = 'e'\n[model]\nname = 'm'\n")
    set_value(path, "server.headers", '{ a = "z", x = "y" }')
    text = path.read_text()
    assert '[server.headers]\na = "z" # c\n' in text
    assert tomllib.loads(text) == {"server": {"headers": {"a": "z", "x": "y"}}, "model": {"name": "m"}}


def test_removing_takes_one_line_away(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(COMMENTED)
    assert unset_value(path, "model.num_ctx")
    assert path.read_text() == COMMENTED.replace("num_ctx = 4096   # what fits\n", "")
    assert not unset_value(path, "model.num_ctx")
    assert unset_value(path, "profile.big.model.num_ctx")
    assert not unset_value(path, "profile.none.model.num_ctx")


def test_an_unknown_key_can_be_removed(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[model]\nnum_cxt = 1\nname = 'm'\n[modle]\nx = 1\n")
    assert unset_value(path, "model.num_cxt")
    assert unset_value(path, "modle")
    assert path.read_text() == "[model]\nname = 'm'\n"


@pytest.mark.parametrize(
    "text",
    [
        "model.num_ctx = 1\nmodel.name = 'a'\n",
        "model = { num_ctx = 1, name = 'a' }\n",
        "[model]\nname = 'a'\n[server]\nhost = 'x'\n[profile.x.model]\nname = 'p'\n[log]\nkeep = 1\n",
        "\r\n[model]\r\nname = 'a' # here\r\n",
    ],
)
def test_any_way_of_writing_is_changed_or_refused_but_never_spoiled(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    for key, value in (("model.num_ctx", "7"), ("server.host", "b"), ("profile.x.server.host", "c")):
        before = path.read_bytes()
        if refusal := refused(path, key, value):
            assert "cannot be changed safely" in refusal
            assert path.read_bytes() == before
        else:
            assert tomllib.loads(path.read_text()) != tomllib.loads(before.decode())
    assert read_settings(path, {}).settings.model.name == "a"


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("model.num_ctx", "0", "model.num_ctx cannot be 0. It is a whole number, 1 or more."),
        ("model.num_ctx", "many", "model.num_ctx cannot be many. It is a whole number, 1 or more."),
        ("model.num_ctx", "", "model.num_ctx cannot be empty. It is a whole number, 1 or more."),
        ("model.num_ctx", "1\nname = 2", "model.num_ctx cannot be 1 name = 2."),
        ("model.think", "yes", 'model.think cannot be yes. It is "default", "on" or "off".'),
        ("server.verify", "no", "server.verify cannot be no. It is true or false."),
        ("model.stop", "x", "model.stop cannot be x. It is a list of texts"),
        ("server.headers", "{ key = 3 }", "server.headers cannot be that. It is a table of texts"),
        (
            "profile.a.screen.fps",
            "61",
            "profile.a.screen.fps cannot be 61. It is a whole number, from 1 to 60.",
        ),
        ("model.name", "\udcff", "model.name cannot be"),
        ("server.password", "s3cret\udcff", "server.password cannot be that."),
        ("model.temperature", "nan", "model.temperature cannot be nan. It is a number."),
        ("retry.delay", "inf", "retry.delay cannot be inf. It is a number, 0 or more."),
        ("model.num_cxt", "1", "model.num_cxt is unknown; did you mean model.num_ctx?"),
        ("profile.a.model.qqq", "1", "profile.a.model.qqq is unknown."),
        ("model", "1", "model is a section. Name a key in it"),
        ("", "1", "unknown"),
        ("profile..model.name", "1", "unknown"),
        ("model.num_ctx.x", "1", "unknown"),
    ],
)
def test_what_cannot_be_set_is_one_sentence_and_changes_nothing(
    tmp_path: Path, key: str, value: str, sentence: str
) -> None:
    path = tmp_path / "config.toml"
    with pytest.raises(SettingsError) as caught:
        set_value(path, key, value)
    assert sentence in str(caught.value)
    assert not path.exists()


def test_a_file_that_is_wrong_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    for text, sentence in (
        ("[model", "not valid TOML"),
        ("model = 3\n", "config.toml, model: this is not a"),
    ):
        path.write_text(text)
        with pytest.raises(SettingsError, match=sentence):
            set_value(path, "model.name", "m")
        assert path.read_text() == text


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((StoreError, SettingsError), match="cannot be"):
        set_value(tmp_path / "file" / "config.toml", "model.name", "m")
