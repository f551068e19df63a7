"""Which value wins, where it came from, and what is warned about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import SettingsError
from qwentui.store.settings import Loaded, Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path

FILE = "[model]\nnum_ctx = 2000\nname = 'file'\n"
PROFILE = "[profile.a10.model]\nnum_ctx = 3000\n[profile.big.model]\nnum_ctx = 9000\n"


def read(tmp_path: Path, text: str, profile: str | None = None, **environ: str) -> Loaded:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path, environ, profile)


def num_ctx(loaded: Loaded) -> tuple[int, str]:
    return loaded.settings.model.num_ctx, loaded.sources.get("model.num_ctx", "default")


def test_the_file_goes_before_the_default(tmp_path: Path) -> None:
    assert num_ctx(read(tmp_path, "")) == (8192, "default")
    assert num_ctx(read(tmp_path, FILE)) == (2000, "file")


def test_the_profile_goes_before_the_file(tmp_path: Path) -> None:
    loaded = read(tmp_path, FILE + PROFILE, "a10")
    assert num_ctx(loaded) == (3000, "profile a10")
    assert (loaded.settings.model.name, loaded.sources["model.name"]) == ("file", "file")


def test_a_profile_goes_before_the_default(tmp_path: Path) -> None:
    assert num_ctx(read(tmp_path, PROFILE, "a10")) == (3000, "profile a10")


@pytest.mark.parametrize("text", [FILE, PROFILE, FILE + PROFILE])
def test_the_environment_goes_before_the_file_and_the_profile(tmp_path: Path, text: str) -> None:
    profile = "a10" if "profile" in text else None
    loaded = read(tmp_path, text, profile, QWENTUI_MODEL_NUM_CTX="4000")
    assert num_ctx(loaded) == (4000, "QWENTUI_MODEL_NUM_CTX")


def test_a_profile_is_chosen_by_the_environment_and_the_flag_goes_before_it(tmp_path: Path) -> None:
    assert num_ctx(read(tmp_path, PROFILE, QWENTUI_PROFILE="big")) == (9000, "profile big")
    assert num_ctx(read(tmp_path, PROFILE, "a10", QWENTUI_PROFILE="big")) == (3000, "profile a10")
    assert num_ctx(read(tmp_path, PROFILE, "", QWENTUI_PROFILE="big")) == (8192, "default")
    assert num_ctx(read(tmp_path, PROFILE)) == (8192, "default")


def test_ollama_host_stands_behind_every_stated_address(tmp_path: Path) -> None:
    loaded = read(tmp_path, "", OLLAMA_HOST="box")
    assert (loaded.settings.server.host, loaded.sources["server.host"]) == ("box", "OLLAMA_HOST")
    loaded = read(tmp_path, "[profile.a10.server]\nhost = 'a10'", "a10", OLLAMA_HOST="box")
    assert (loaded.settings.server.host, loaded.sources["server.host"]) == ("a10", "profile a10")


@pytest.mark.parametrize(("text", "known"), [(PROFILE, "Known are: a10, big."), ("", "has none")])
def test_an_unknown_profile_names_the_known_ones(tmp_path: Path, text: str, known: str) -> None:
    with pytest.raises(SettingsError, match="There is no profile 'a11'") as caught:
        read(tmp_path, text, "a11")
    assert known in caught.value.hint


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("profile = 3", "config.toml, profile:"),
        ("[profile]\na10 = 3", "config.toml, profile:"),
        ("[profile.a10]\nmodel = 3", "config.toml, profile.a10.model:"),
        ("model = 3\n[profile.a10.model]\nname = 'x'", "config.toml, model:"),
        ("[profile.a10.model]\nnum_ctx = 0", "config.toml, profile.a10.model.num_ctx:"),
        ("[model]\nnum_ctx = 0\n[profile.a10.model]\nname = 'x'", "config.toml, model.num_ctx:"),
        ("[profile.a10.server.headers]\nx = 1", "config.toml, profile.a10.server.headers[...]:"),
    ],
)
def test_a_wrong_value_is_an_error_with_its_place(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text, "a10")
    assert place in caught.value.message


def test_the_hint_says_what_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, "[model]\npreload = 'always'")
    assert caught.value.hint == 'It is "off", "start" or "typing". Correct it or remove it.'


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("[model]\nnum_cxt = 3", "model.num_cxt is unknown; did you mean model.num_ctx?"),
        ("[modle]\nnum_ctx = 3", "modle is unknown; did you mean model?"),
        ("num_ctx = 3", "num_ctx is unknown; did you mean model.num_ctx?"),
        ("[server]\nnum_ctx = 3", "server.num_ctx is unknown; did you mean model.num_ctx?"),
        ("[model]\n'\x1bq\u009b' = 3".replace("\x1b", ""), "model.q"),
        ("xyzzy = 3", "xyzzy is unknown."),
        (
            "[profile.a10.model]\nnum_cxt = 3",
            "profile.a10.model.num_cxt is unknown; did you mean profile.a10.model.num_ctx?",
        ),
        ("[profile.a10.modle]", "profile.a10.modle is unknown; did you mean profile.a10.model?"),
    ],
)
def test_an_unknown_key_is_a_warning_with_the_nearest_known_one(
    tmp_path: Path, text: str, warning: str
) -> None:
    loaded = read(tmp_path, text)
    assert loaded.settings == Settings()
    (sentence,) = loaded.warnings
    assert sentence.startswith(warning)
    assert "\u009b" not in sentence


@pytest.mark.parametrize(
    ("name", "warning"),
    [
        ("QWENTUI_MODEL_NUMCTX", "QWENTUI_MODEL_NUMCTX is unknown; did you mean QWENTUI_MODEL_NUM_CTX?"),
        ("QWENTUI_PROFLE", "QWENTUI_PROFLE is unknown; did you mean QWENTUI_PROFILE?"),
        ("QWENTUI_XYZZY\u009b", "QWENTUI_XYZZY"),
    ],
)
def test_an_unknown_variable_is_a_warning_with_the_nearest_known_one(
    tmp_path: Path, name: str, warning: str
) -> None:
    (sentence,) = read(tmp_path, "", **{name: "3"}).warnings
    assert sentence.startswith(f"The environment variable {warning}")
    assert "\u009b" not in sentence


def test_the_variables_of_the_program_and_of_others_are_no_mistake(tmp_path: Path) -> None:
    others = {"OLLAMA_HOST": "box", "QWENTUIX": "1", "PATH": "/bin"}
    known = {"QWENTUI_PROFILE": "", "QWENTUI_OUTPUT": "plain", "QWENTUI_SERVER_CA_FILE": ""}
    assert read(tmp_path, "", **known, **others).warnings == ()
