from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwentui.chat.errors import SettingsError
from qwentui.store.settings import Settings, read_settings

if TYPE_CHECKING:
    from pathlib import Path


def _load(tmp_path: Path, text: str, **environ: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path, environ).settings


def test_without_a_file_everything_has_its_default(tmp_path: Path) -> None:
    assert read_settings(tmp_path / "none.toml", {}).settings == Settings()


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    settings = _load(
        tmp_path,
        '[model]\nname = "a"\nnum_ctx = 4096\n[server]\nhost = "file"',
        QWENTUI_MODEL_NUM_CTX="16384",
        QWENTUI_MODEL_TEMPERATURE="0.6",
        QWENTUI_SERVER_HEADERS='{"X-Key": "secret"}',
        QWENTUI_SERVER_VERIFY="false",
        OLLAMA_HOST="elsewhere",
    )
    assert settings.model.name == "a"
    assert settings.model.num_ctx == 16384
    assert settings.model.temperature == pytest.approx(0.6)
    assert settings.server.headers == {"X-Key": "secret"}
    assert settings.server.verify is False
    assert settings.server.host == "file"


def test_ollama_host_stands_in_for_the_address(tmp_path: Path) -> None:
    assert _load(tmp_path, "", OLLAMA_HOST="box:1").server.host == "box:1"
    assert _load(tmp_path, "", OLLAMA_HOST="box:1", QWENTUI_SERVER_HOST="two").server.host == "two"


@pytest.mark.parametrize(
    ("text", "environ", "place"),
    [
        ("x = [", {}, "config.toml is not valid TOML"),
        ("[server]\nhost = 3", {}, "config.toml, server.host"),
        ("server = 3", {}, "config.toml, server"),
        ("[model]\nnum_ctx = 0", {}, "config.toml, model.num_ctx"),
        ("", {"QWENTUI_MODEL_NUM_CTX": "many"}, "QWENTUI_MODEL_NUM_CTX"),
        ("", {"QWENTUI_SERVER_HEADERS": "{broken"}, "QWENTUI_SERVER_HEADERS"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    tmp_path: Path, text: str, environ: dict[str, str], place: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, text, **environ)
    assert place in caught.value.message
    assert caught.value.hint


def test_a_file_that_is_no_text_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="not valid TOML"):
        read_settings(path, {})
    with pytest.raises(SettingsError, match="cannot be read"):
        read_settings(tmp_path, {})
