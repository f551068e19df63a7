"""A setting changed where it stands: what decides, what is written, and what is left alone."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from store.test_settings_edit import COMMENTED, SETTINGS, argument

from qwentui.chat.errors import SettingsError, StoreError
from qwentui.store.settings import Loaded, Settings, leaves, value_of
from qwentui.store.settings_origin import ChangedMeanwhile, Origin, change
from qwentui.store.settings_text import default_file

KEYS = tuple(leaves())
EDITS = st.lists(st.tuples(SETTINGS, st.booleans()), max_size=4)


def written(tmp_path: Path, text: str = COMMENTED) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return path


def seen(origin: Origin, key: str) -> tuple[Any, str]:
    loaded = origin.read()
    return value_of(loaded.settings, key), loaded.sources.get(key, "default")


@settings(max_examples=15, deadline=None)
@given(
    EDITS,
    st.sampled_from(["", COMMENTED, default_file()]),
    st.sampled_from(["", "big"]),
    st.dictionaries(st.sampled_from(["model.num_ctx", "model.keep_alive"]), st.just("77"), max_size=2),
)
def test_after_any_edits_the_file_says_exactly_what_is_shown(
    edits: list[tuple[tuple[str, Any], bool]], text: str, profile: str, environ: dict[str, str]
) -> None:
    variables = {f"QWENTUI_{key.replace('.', '_').upper()}": value for key, value in environ.items()}
    with TemporaryDirectory() as folder:
        path = written(
            Path(folder), text + ("" if "[profile.big.model]" in text else "\n[profile.big.model]\n")
        )
        origin = Origin(path, variables, profile)
        expected = _all(origin.read())
        for (key, value), removes in edits:
            before, source = seen(origin, key)
            if key in environ or (removes and source == "default"):
                continue
            changed = change(origin, key, None if removes else argument(value), before)
            below = tomllib.loads(path.read_text(encoding="utf-8"))
            section, _, name = key.partition(".")
            if removes:
                # What stood in the profile gives way to the main part, and that to the default.
                main = below.get(section, {}).get(name, value_of(Settings(), key))
                expected[key] = main if source.startswith("profile") else value_of(Settings(), key)
            else:
                expected[key] = value
            assert _all(changed.loaded) == _plain(expected)
            assert _plain(
                {key: seen(Origin(path, variables, profile), key)[0] for key in leaves()}
            ) == _plain(expected)


def _all(loaded: Loaded) -> dict[str, Any]:
    return _plain({key: value_of(loaded.settings, key) for key in KEYS})


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in values.items()}


def test_a_value_is_changed_in_the_profile_that_has_it_and_elsewhere_in_the_main_part(tmp_path: Path) -> None:
    path = written(tmp_path)
    origin = Origin(path, {}, "big")
    changed = change(origin, "model.num_ctx", "16384", 32768)
    assert (changed.table, changed.loaded.sources["model.num_ctx"]) == ("profile.big.model", "profile big")
    changed = change(origin, "model.keep_alive", "-1", "5m")
    assert (changed.table, changed.loaded.sources["model.keep_alive"]) == ("model", "file")
    text = path.read_text()
    assert '# the end of model\nkeep_alive = "-1"\n' in text
    assert "[profile.big.model]  # the other card\nnum_ctx = 16384\n" in text
    changed = change(origin, "model.num_ctx", None, 16384)
    assert (changed.table, seen(origin, "model.num_ctx")) == ("profile.big.model", (4096, "file"))


@pytest.mark.parametrize("environ", [{"QWENTUI_MODEL_NAME": "x"}, {}])
def test_what_a_variable_or_a_flag_decides_is_not_written(tmp_path: Path, environ: dict[str, str]) -> None:
    path = written(tmp_path)
    origin = Origin(path, environ)
    if not environ:
        origin = origin.giving("model.name", "--model", "x")
    with pytest.raises(SettingsError, match=r"^(QWENTUI_MODEL_NAME|--model) decides model.name\."):
        change(origin, "model.name", "y", "x")
    assert path.read_text() == COMMENTED


def test_the_address_goes_before_ollama_host_and_so_can_be_written(tmp_path: Path) -> None:
    origin = Origin(tmp_path / "new" / "config.toml", {"OLLAMA_HOST": "box"})
    changed = change(origin, "server.host", "a10", "box")
    assert (changed.loaded.settings.server.host, changed.loaded.sources["server.host"]) == ("a10", "file")


def test_what_an_editor_wrote_meanwhile_stays(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(COMMENTED + "[chat] # added\nparallel = 1\n")
    change(Origin(path, {}), "model.num_ctx", "2048", 4096)
    assert path.read_text() == COMMENTED.replace("4096 ", "2048 ") + "[chat] # added\nparallel = 1\n"
    with pytest.raises(ChangedMeanwhile, match=r"config\.toml was changed meanwhile") as caught:
        change(Origin(path, {}), "model.num_ctx", "1024", 4096)
    assert caught.value.loaded.settings.model.num_ctx == 2048
    assert "2048" in path.read_text()


@pytest.mark.parametrize("text", ["[model\n", "[model]\nnum_ctx = 0 # oh\n"])
def test_a_broken_file_is_named_with_its_place_and_left_alone(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError, match=r"config\.toml.*(line 1, column|model\.num_ctx)"):
        change(Origin(path, {}), "chat.parallel", "1", 3)
    assert path.read_text() == text


@pytest.mark.skipif(os.geteuid() == 0, reason="to root no file is read-only")
@pytest.mark.parametrize("mode", [(0o400, 0o700), (0o600, 0o500)])
def test_a_file_that_is_read_only_is_one_sentence(tmp_path: Path, mode: tuple[int, int]) -> None:
    path = written(tmp_path)
    path.chmod(mode[0])
    tmp_path.chmod(mode[1])
    with pytest.raises(StoreError, match=r"config\.toml (is read-only|cannot be written)"):
        change(Origin(path, {}), "chat.parallel", "1", 3)
    tmp_path.chmod(0o700)
    assert path.read_text() == COMMENTED
    assert [entry.name for entry in tmp_path.iterdir()] == ["config.toml"]
