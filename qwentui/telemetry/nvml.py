"""The cards of this machine, read by NVIDIA's own binding of NVML; an absent one is a value, not an error.

Every call may fail on its own: a driver that was updated beneath a running system, a card that fell off the
bus, a container without the right to see processes. What fails is not known, and the rest is.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _
from qwentui.telemetry.vram import Card, Cards, GpuProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_ABSENT = {
    "NVML_ERROR_LIBRARY_NOT_FOUND": N_("No NVIDIA driver is installed on this machine."),
    "NVML_ERROR_DRIVER_NOT_LOADED": N_("The NVIDIA driver is not loaded: `modprobe nvidia` loads it."),
    "NVML_ERROR_LIB_RM_VERSION_MISMATCH": N_(
        "The NVIDIA driver was updated while the old one still runs; restart the machine."
    ),
    "NVML_ERROR_NO_PERMISSION": N_("This user may not see the card; add it to the groups video and render."),
    "NVML_ERROR_NOT_FOUND": N_("No NVIDIA card is in this machine."),
}


class NvmlProbe:
    """Reads the cards, in whatever thread calls it; one thread at a time.

    A driver that is gone is looked for anew with every sample.
    """

    def __init__(self) -> None:
        self._nvml: Any = None

    def sample(self) -> Cards:
        """All cards as they are now; never raises."""
        at = time.monotonic()
        try:
            import pynvml
        except ImportError:
            return Cards(at, trouble=_("nvidia-ml-py is not installed."))
        try:
            if self._nvml is None:
                pynvml.nvmlInit()
                self._nvml = pynvml
            cards = tuple(_cards(pynvml))
        except pynvml.NVMLError as error:
            self.close()
            return Cards(at, trouble=_absence(pynvml, error))
        driver = _told(pynvml, pynvml.nvmlSystemGetDriverVersion) or ""
        cuda = _told(pynvml, pynvml.nvmlSystemGetCudaDriverVersion_v2)
        return Cards(
            at,
            cards,
            "" if cards else _("No NVIDIA card is in this machine."),
            sanitize_line(driver),
            "" if cuda is None else f"{cuda // 1000}.{cuda % 1000 // 10}",
        )

    def close(self) -> None:
        """Let go of the driver; the next sample takes it again."""
        if self._nvml is not None:
            nvml, self._nvml = self._nvml, None
            with suppress(nvml.NVMLError):
                nvml.nvmlShutdown()


def _absence(nvml: Any, error: Any) -> str:  # noqa: ANN401 - pynvml has no types
    for name, sentence in _ABSENT.items():
        if error.value == getattr(nvml, name):
            return _(sentence)
    return _("The NVIDIA driver does not answer: {error}.").format(error=sanitize_line(str(error)))


def _told(nvml: Any, call: Callable[..., T], *arguments: object) -> T | None:  # noqa: ANN401 - as above
    """What a call gives, None where the driver cannot or may not tell."""
    try:
        return call(*arguments)
    except nvml.NVMLError as error:
        if error.value in {nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_UNINITIALIZED}:
            raise
        return None


def _cards(nvml: Any) -> Iterator[Card]:  # noqa: ANN401 - as above
    for index in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            yield from _instances(nvml, handle, index) or (_card(nvml, handle, index),)
        except nvml.NVMLError as error:
            if error.value == nvml.NVML_ERROR_UNINITIALIZED:
                raise
            lost = error.value == nvml.NVML_ERROR_GPU_IS_LOST
            trouble = (
                _("It fell off the bus; restart the machine.")
                if lost
                else _("It cannot be read: {error}.").format(error=sanitize_line(str(error)))
            )
            yield Card(index, f"GPU {index}", trouble=trouble, is_lost=lost)


def _instances(nvml: Any, handle: Any, index: int) -> tuple[Card, ...]:  # noqa: ANN401 - as above
    """The MIG instances of a card, as far as this user may see them."""
    mode = _told(nvml, nvml.nvmlDeviceGetMigMode, handle)
    if mode is None or mode[0] != nvml.NVML_DEVICE_MIG_ENABLE:
        return ()
    found = []
    for number in range(_told(nvml, nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0):
        instance = _told(nvml, nvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number)
        if instance is not None:
            found.append(_card(nvml, instance, index, mig=True))
    return tuple(found) or (_card(nvml, handle, index, mig=True),)


def _card(nvml: Any, handle: Any, index: int, *, mig: bool = False) -> Card:  # noqa: ANN401 - as above
    name = _told(nvml, nvml.nvmlDeviceGetName, handle)
    memory = _memory(nvml, handle)
    rates = _told(nvml, nvml.nvmlDeviceGetUtilizationRates, handle)
    power = _told(nvml, nvml.nvmlDeviceGetPowerUsage, handle)
    processes = _told(nvml, nvml.nvmlDeviceGetComputeRunningProcesses, handle) or ()
    return Card(
        index,
        sanitize_line(name or f"GPU {index}", 60),
        used=None if memory is None else memory.used,
        total=None if memory is None else memory.total,
        utilisation=None if rates is None else rates.gpu,
        temperature=_told(nvml, nvml.nvmlDeviceGetTemperature, handle, nvml.NVML_TEMPERATURE_GPU),
        power=None if power is None else power / 1000,
        mig=mig,
        processes=tuple(_process(entry) for entry in processes),
    )


def _memory(nvml: Any, handle: Any) -> Any:  # noqa: ANN401 - as above
    """Version 2 tells apart what the driver reserves; older drivers know only the first."""
    try:
        version = _told(nvml, nvml.nvmlDeviceGetMemoryInfo, handle, nvml.nvmlMemory_v2)
    except AttributeError:
        version = None
    return version if version is not None else _told(nvml, nvml.nvmlDeviceGetMemoryInfo, handle)


def _process(entry: Any) -> GpuProcess:  # noqa: ANN401 - as above
    name = ""
    with suppress(OSError):
        name = Path(f"/proc/{entry.pid}/comm").read_text(encoding="utf-8", errors="replace").strip()
    used = entry.usedGpuMemory
    return GpuProcess(entry.pid, sanitize_line(name, 40), used if isinstance(used, int) else None)
