"""A bench while it runs: whatever happens, what came so far makes a result."""

from __future__ import annotations

import platform
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from qwentui.backends.embedded import HOST, EmbeddedBackend
from qwentui.backends.ollama import OllamaBackend, same_model
from qwentui.backends.placement import listed
from qwentui.bench.run import Peak, Result, Run, Surroundings
from qwentui.chat.errors import BackendError
from qwentui.telemetry.card_sampler import CardSampler
from qwentui.telemetry.nvml import NvmlProbe
from qwentui.telemetry.vram import is_local

if TYPE_CHECKING:
    from qwentui.backends.base import Backend, LoadedModel
    from qwentui.bench.plan import Plan
    from qwentui.telemetry.vram import Card, Cards

_CARD_INTERVAL = 0.5  # seconds between two looks at the cards


class Ledger:
    """Gathers the runs of one bench, and the most memory seen meanwhile.

    Args:
        plan: What is asked.
        taken: Ids that other results have.

    Attributes:
        runs: Those that are done.
        notes: Sentences about what could not be measured.
    """

    def __init__(self, plan: Plan, taken: frozenset[str] = frozenset()) -> None:
        self.plan = plan
        self.runs: list[Run] = []
        self.notes: list[str] = []
        now = datetime.now(UTC)
        self._id = _free(now.strftime("%Y%m%d-%H%M%S"), taken)
        self._started_at = now.isoformat(timespec="seconds")
        self._surroundings = Surroundings()
        self._peak = Peak()
        self._cards: Cards | None = None
        self._fullest: Card | None = None
        self._sampler: CardSampler | None = None

    async def open(self, backend: Backend) -> None:
        """Note where the bench runs, and watch this machine's cards if the model is on one of them.

        Raises:
            BackendError: The server does not tell.
        """
        models = await backend.models()
        model = next((found for found in models if same_model(found.name, self.plan.model)), None)
        is_embedded = isinstance(backend, EmbeddedBackend)
        self._surroundings = Surroundings(
            # Results of two runs are compared, whatever language either spoke.
            host=HOST if is_embedded else backend.host,
            server="Ollama" if isinstance(backend, OllamaBackend) else "OpenAI-compatible",
            version=await backend.version(),
            digest=model.digest if model else "",
            quantization=model.quantization_level if model else "",
            client=platform.node(),
        )
        if not is_embedded and is_local(backend.host):
            self._sampler = CardSampler(NvmlProbe, self._see, _CARD_INTERVAL)
            self._sampler.watch()

    def close(self) -> None:
        """Look at the cards no more."""
        if self._sampler is not None:
            self._sampler.close()

    async def weigh(self, backend: Backend) -> None:
        """Ask the server what the model takes now; one that does not tell costs nothing."""
        with suppress(BackendError):
            found = listed(await backend.loaded(), self.plan.model, self._surroundings.digest)
            if found is not None:
                self._peak = _larger(self._peak, found)

    def result(self, stopped: str = "") -> Result:
        """What there is by now.

        Args:
            stopped: Why it ended before its end, "" where it did not.
        """
        from msgspec.structs import replace

        surroundings, peak = self._surroundings, self._peak
        if self._cards is not None:
            surroundings = replace(surroundings, driver=self._cards.driver, cuda=self._cards.cuda)
        if self._fullest is not None:
            surroundings = replace(surroundings, card=self._fullest.name)
            peak = replace(peak, used=self._fullest.used, total=self._fullest.total)
        return Result(
            id=self._id,
            started_at=self._started_at,
            plan=self.plan,
            surroundings=surroundings,
            peak=peak,
            runs=tuple(self.runs),
            notes=tuple(self.notes),
            stopped=stopped,
        )

    def _see(self, cards: Cards) -> None:
        """Take a sample, in the sampler's thread: each is one assignment of a value that does not change."""
        self._cards = cards
        known = [card for card in (self._fullest, *cards.cards) if card is not None and card.used is not None]
        self._fullest = max(known, key=lambda card: card.used or 0, default=None)


def _larger(peak: Peak, model: LoadedModel) -> Peak:
    sizes = [(peak.model, model.size_vram), (peak.whole, model.size)]
    on_card, whole = (max((size for size in pair if size is not None), default=None) for pair in sizes)
    return Peak(model=on_card, whole=whole, context_length=model.context_length)


def _free(id_: str, taken: frozenset[str]) -> str:
    numbered = (f"{id_}-{number}" for number in range(2, len(taken) + 3))
    return id_ if id_ not in taken else next(name for name in numbered if name not in taken)
