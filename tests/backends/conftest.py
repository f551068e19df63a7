from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from qwentui.backends.address import Endpoint

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from outcome import B, Connect

    from qwentui.backends.ollama import OllamaBackend
    from qwentui.backends.openai import OpenAIBackend


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    opened: list[OllamaBackend | OpenAIBackend] = []

    def backend(kind: type[B], url: str, *, silence: float = 10.0) -> B:
        made = kind(Endpoint(url), silence=silence)
        opened.append(made)
        return made

    yield backend
    for made in opened:
        await made.aclose()
