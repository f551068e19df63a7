"""What the graphics cards hold: values, and what follows from them. Bytes, unless a name says otherwise.

Two sources are never mixed up: NVML tells what a *card* holds, whoever put it there, and `/api/ps` what one
*model's* buffers take (`size`, and `size_vram` of it on the GPU), which is less: neither the CUDA context nor
other programs are in it.
"""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from qwentui.language import N_


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that holds memory of a card; `name` is "" and `used` None where the driver does not tell."""

    pid: int
    name: str = ""
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One card, or one instance of a card in MIG mode; None is what could not be read.

    Attributes:
        index: The driver's number.
        name: As the driver tells it.
        used: What programs hold; what the driver reserves for itself is not in it.
        total: All that can be seen of the memory.
        utilisation: Percent of the last sample period (1/6 to 1 s) in which the card was busy.
        temperature: Degrees Celsius.
        power: Watts.
        mig: Whether it is an instance, or in MIG mode as a whole.
        processes: Who holds memory.
        trouble: Why it cannot be read (any more), one sentence; "" where it can.
        is_lost: Whether it answers no more.
    """

    index: int
    name: str
    used: int | None = None
    total: int | None = None
    utilisation: int | None = None
    temperature: int | None = None
    power: float | None = None
    mig: bool = False
    processes: tuple[GpuProcess, ...] = ()
    trouble: str = ""
    is_lost: bool = False


@dataclass(frozen=True, slots=True)
class Cards:
    """A sample of all cards, taken `at` seconds of the monotonic clock.

    `trouble` says in one sentence why there are none. `driver` and `cuda` are versions, "" where unknown.
    """

    at: float
    cards: tuple[Card, ...] = ()
    trouble: str = ""
    driver: str = ""
    cuda: str = ""


SPILL_REMEDY = N_(
    "Ask for a smaller num_ctx, use a quantised KV cache (OLLAMA_KV_CACHE_TYPE=q8_0),"
    " or free what others hold."
)
"""What to do about a model of which a part runs on the CPU."""


def spilled(size: int | None, size_vram: int | None) -> float | None:
    """The share of a model that runs on the CPU, from `/api/ps`; None where the server does not tell."""
    if not size or size_vram is None:
        return None
    return min(1.0, max(0.0, (size - size_vram) / size))


def others(card: Card, model: int | None) -> int | None:
    """What is on a card beside a model that takes `model` bytes of it, its CUDA context included."""
    if card.used is None or model is None:
        return None
    return max(0, card.used - model)


def is_local(host: str) -> bool:
    """Whether an address, with or without a port, is this machine's own.

    A tunnel that ends on this machine looks local, too; nothing here can tell it from a server.
    """
    name = _name_of(host)
    if name.lower() in {"localhost", socket.gethostname().lower()}:
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or _is_bound_here(address)


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdecimal() and ":" not in name else host


def _is_bound_here(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    """Only an address of one of this machine's interfaces can be bound."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004 - IP's versions
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
