"""A thread that looks at the cards while somebody looks at the gauges."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from qwentui.telemetry.nvml import NvmlProbe
    from qwentui.telemetry.vram import Cards


class CardSampler:
    """Samples once an interval while it is watched; the thread is made with the first watch.

    Args:
        probe: Makes the probe, in the thread: the driver's library is loaded there too.
        on_sample: Called with each sample, in the thread.
        interval: Seconds between two samples.
    """

    def __init__(
        self, probe: Callable[[], NvmlProbe], on_sample: Callable[[Cards], None], interval: float = 1.0
    ) -> None:
        self._probe = probe
        self._on_sample = on_sample
        self._interval = interval
        self._watched = threading.Event()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self) -> None:
        """Somebody looks from now on."""
        self._watched.set()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="cards", daemon=True)
            self._thread.start()

    def rest(self) -> None:
        """Nobody looks any more."""
        self._watched.clear()

    def close(self) -> None:
        """End the thread; a call into a driver that hangs is not waited for."""
        self._closed.set()
        self._watched.set()

    def _work(self) -> None:
        probe = self._probe()
        try:
            while self._watched.wait() and not self._closed.is_set():
                self._on_sample(probe.sample())
                self._closed.wait(self._interval)
        finally:
            probe.close()
