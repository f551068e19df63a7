"""The probe through the real nvidia-ml-py, on cards that a stub of NVIDIA's library tells of."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from nvml_stub import NvmlStub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PROGRAM = """
import dataclasses, json, sys
from qwentui.telemetry.nvml import NvmlProbe
probe = NvmlProbe()
for line in sys.stdin:
    print(json.dumps(dataclasses.asdict(probe.sample())), flush=True)
probe.close()
"""
MIB = 1 << 20


@contextmanager
def probing(stub: NvmlStub | None) -> Iterator[Callable[[], dict[str, Any]]]:
    """A process that samples whenever it is asked to."""
    environ = os.environ | (stub.environ if stub is not None else {"LD_LIBRARY_PATH": "/nonexistent"})
    with subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environ,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asked, told = process.stdin, process.stdout

        def sample() -> dict[str, Any]:
            asked.write("\n")
            asked.flush()
            found: dict[str, Any] = json.loads(told.readline())
            return found

        yield sample
        asked.close()
        assert process.wait(10) == 0


def test_one_card_tells_all(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.used 20900", f"card0.processes {os.getpid()}:20000,99999999:500")
    with probing(stub) as sample:
        found = sample()
    assert (found["driver"], found["cuda"], found["trouble"]) == ("580.65.06", "13.0", "")
    (card,) = found["cards"]
    assert card["name"] == "NVIDIA A10"
    assert (card["used"], card["total"]) == (20900 * MIB, 23028 * MIB)
    assert (card["utilisation"], card["temperature"], card["power"]) == (7, 45, 61.5)
    ours, gone = card["processes"]
    assert ours["name"]
    assert (ours["used"], gone["name"], gone["used"]) == (20000 * MIB, "", 500 * MIB)


def test_two_cards_are_two(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("cards 2", "card1.name Tesla T4", "card1.total 15360", "card1.used 10")
    with probing(stub) as sample:
        first, second = sample()["cards"]
    assert (first["index"], second["index"], second["name"]) == (0, 1, "Tesla T4")
    assert second["total"] == 15360 * MIB


def test_a_call_that_fails_leaves_the_rest(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.no_power 1", "card0.no_rates 1", "card0.no_processes 1")
    with probing(stub) as sample:
        (card,) = sample()["cards"]
    assert (card["power"], card["utilisation"], card["processes"]) == (None, None, [])
    assert (card["used"], card["temperature"], card["trouble"]) == (1000 * MIB, 45, "")


def test_an_older_driver_tells_its_memory_too(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.old 1", "card0.used 77")
    with probing(stub) as sample:
        assert sample()["cards"][0]["used"] == 77 * MIB


def test_an_instance_of_a_card_stands_for_it(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("card0.mig 7", "card0.slice 5120")
    with probing(stub) as sample:
        (card,) = sample()["cards"]
        assert (card["mig"], card["total"], card["utilisation"]) == (True, 5120 * MIB, None)
        stub.say("card0.mig 7", "card0.no_instances 1")
        (card,) = sample()["cards"]
        assert (card["mig"], card["total"]) == (True, 23028 * MIB)


def test_a_card_that_disappears_is_named_and_comes_back(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    stub.say("cards 2")
    with probing(stub) as sample:
        assert [card["trouble"] for card in sample()["cards"]] == ["", ""]
        stub.say("cards 2", "card1.lost 1")
        first, second = sample()["cards"]
        assert first["trouble"] == ""
        assert "fell off the bus" in second["trouble"]
        assert second["used"] is None
        stub.say("cards 2")
        assert [card["trouble"] for card in sample()["cards"]] == ["", ""]


def test_a_driver_that_disappears_is_looked_for_again(tmp_path: Path) -> None:
    stub = NvmlStub(tmp_path)
    with probing(stub) as sample:
        assert len(sample()["cards"]) == 1
        stub.say("count 1", "init 9")
        found = sample()
        assert (found["cards"], "does not answer" in found["trouble"]) == ([], True)
        found = sample()
        assert (found["cards"], "not loaded" in found["trouble"]) == ([], True)
        stub.say("init 18")
        assert "updated while the old one still runs" in sample()["trouble"]
        stub.say()
        assert len(sample()["cards"]) == 1


def test_a_machine_without_a_card_or_a_driver_says_so(tmp_path: Path) -> None:
    with probing(None) as sample:
        assert sample()["trouble"] == "No NVIDIA driver is installed on this machine."
    stub = NvmlStub(tmp_path)
    stub.say("cards 0")
    with probing(stub) as sample:
        assert sample()["trouble"] == "No NVIDIA card is in this machine."
