"""Nothing that comes from outside reaches the terminal as a command, through any path, in a real terminal.

Each walk is done twice, with hostile text and with harmless text of the same shape: what the program writes for the
second is all that it may write for the first.
"""

from __future__ import annotations

import re
import sys
from base64 import b64decode
from itertools import count
from typing import TYPE_CHECKING

import pytest
from script import Fault, Model, Plain, Reply, failure
from scripted_server import ScriptedServer, ThreadedServer
from sequences import printed, sequences
from terminal import Terminal
from tui.hostile import FORBIDDEN, JOINERS, MARKED, harmless, markdown, pieces

if TYPE_CHECKING:
    from collections.abc import Callable

    from script import Answer

QWENTUI = [sys.executable, "-m", "qwentui"]
# When a frame is drawn decides which of these draw it; none of them carries a string.
DRAWING = {*(f"CSI {final}" for final in "ABCDGHKLMXmr"), r"'\r'", r"'\n'", "CSI ?2026h", "CSI ?2026l"}
THOUGHTS, LINES = pieces(80), pieces()


def as_it_is(text: str) -> str:
    return text


def script(tone: Callable[[str], str]) -> list[Answer]:
    """The server's answers: a reply, then every error; each says how far the walk is."""
    thoughts = [f"{tone(piece)} THOUGHT{number}.\n" for number, piece in enumerate(THOUGHTS)]
    ends = [sum(map(len, thoughts[: number + 1])) - 1 for number in range(len(thoughts))]
    content = (*tone(markdown()), "\n\nANSWERED")
    reply = Reply(content, tuple("".join(thoughts)), holds=tuple(ends), done_reason=tone(LINES[0]))
    refused = [failure(400, f"{tone(piece)} REFUSED{number}") for number, piece in enumerate(LINES)]
    broken = [
        Reply(("some", " text"), fault=Fault.ERROR, error=f"{tone(piece)} BROKEN{number}")
        for number, piece in enumerate(LINES)
    ]
    page = f"<html><title>{tone(LINES[0])}</title></html>".encode()
    plain = f"{tone(LINES[0])} PLAIN".encode()
    return [
        reply,
        *refused,
        *broken,
        Plain(404, page, "text/html"),
        Plain(400, plain, "text/plain"),
        *[failure(500, f"{tone(LINES[0])} RETRIED")] * 3,
        Reply(("END",)),
    ]


def models(tone: Callable[[str], str]) -> tuple[Model, ...]:
    names = [Model(name=f"m{number}{tone(piece)}") for number, piece in enumerate(pieces(40))]
    odd = {"parameter_size": tone(THOUGHTS[0]), "quantization_level": tone(THOUGHTS[1])}
    # Where a template closes its turns, each broken reply is told of at once.
    return (Model(details=odd, leaves_open=False), *names)


def press(terminal: Terminal, key: str) -> None:
    """Press a key that changes the screen, and wait for that."""
    before = len(terminal.raw)
    terminal.send(key)
    terminal.wait_until(lambda: len(terminal.raw) > before, what=f"an answer to {key!r}")


def say(terminal: Terminal, answer: str) -> None:
    terminal.send("more\r")
    terminal.wait_for(re.compile(rf"{answer}\b"))
    terminal.wait_until(lambda: "esc stops" not in terminal.screen_text(), what="the end of the reply")


def read_a_reply(terminal: Terminal, server: ThreadedServer) -> None:
    """Thinking in its preview and unfolded, and every page of an answer."""
    terminal.send("go\r")
    for number in range(len(THOUGHTS)):
        terminal.wait_for(f"THOUGHT{number}")
        if number == len(THOUGHTS) // 2:
            terminal.send("\x12")
            terminal.wait_for("▾")
        server.release()
    terminal.wait_for("ANSWERED")
    terminal.wait_until(lambda: "esc stops" not in terminal.screen_text(), what="the end of the reply")
    terminal.send("\x1b[1;5H")
    terminal.wait_for("▾ thought")
    while "ANSWERED" not in terminal.screen_text():
        press(terminal, "\x1b[6~")
    terminal.send("\x1b[1;5F")
    terminal.wait_until(lambda: "· stop" in " ".join(terminal.screen_text().split()), what="the footer")


def meet_every_error(terminal: Terminal) -> None:
    for number in range(len(LINES)):
        say(terminal, f"REFUSED{number}")
    for number in range(len(LINES)):
        # It is told of while the reply is to be restored, too.
        say(terminal, f"✗ The server broke off[^✗]*BROKEN{number}")
    # What is tried again is told of before its end, too.
    for answer in ("A proxy answered", "PLAIN", "✗ The server failed[^✗]*RETRIED", "END"):
        say(terminal, answer)


def choose_every_model(terminal: Terminal, many: int) -> None:
    terminal.send("\x0f")
    terminal.wait_for("Models at")
    for _ in range(many - 1):
        press(terminal, "j")
    terminal.send("\r")
    terminal.wait_for(re.compile("has no model|From here on"))


def paste_and_copy(terminal: Terminal, tone: Callable[[str], str]) -> None:
    for number, piece in zip(count(), pieces(joiners=False), strict=False):
        terminal.send(f"\x1b[200~{tone(piece)} PASTED{number}\x1b[201~")
        terminal.wait_for(f"PASTED{number}")
    terminal.send("\r")
    terminal.wait_until(lambda: terminal.screen_text().count("END") > 1, what="the answer")
    terminal.send("\x10")
    terminal.wait_for("esc closes")
    terminal.send("\x1b")
    terminal.wait_until(lambda: "esc closes" not in terminal.screen_text(), what="the end of the list")
    start = len(terminal.raw)
    terminal.send("\x19")
    terminal.wait_for_bytes(b"\x1b]52;", start)


def walk(output: str, tone: Callable[[str], str]) -> tuple[str, str]:
    """All that the program wrote, and what the screen said."""
    names = models(tone)
    said = ""
    with (
        ScriptedServer(*script(tone), models=names, version=tone(LINES[0])).in_thread() as server,
        Terminal(QWENTUI, env={"OLLAMA_HOST": server.url, "QWENTUI_OUTPUT": output}) as terminal,
    ):
        terminal.wait_for("qwen3 @ 127")
        read_a_reply(terminal, server)
        said += terminal.screen_text()
        meet_every_error(terminal)
        choose_every_model(terminal, len(names))
        paste_and_copy(terminal, tone)
        terminal.send("\x11")
        assert terminal.wait_exit() == 0
        return terminal.raw.decode(), said


def is_safe(wrote: str, allowed: set[str]) -> None:
    """No sequence is of a kind or with a content that is not the program's own, and no character hides."""
    for sequence in sequences(wrote):
        assert sequence.kind in allowed, repr(sequence.text)
        assert not MARKED.search(sequence.text), repr(sequence.text)
        if sequence.kind == "OSC 52":
            copied = b64decode(sequence.text.split(";")[2].rstrip("\x07\x1b\\")).decode()
            assert not FORBIDDEN.search(re.sub(f"[{JOINERS}\n]", "", copied))
    shown = printed(wrote)
    found = FORBIDDEN.search(shown)
    assert found is None, repr(shown[max(found.start() - 60, 0) : found.end() + 20])


@pytest.mark.parametrize("output", ["diff", "plain"])
def test_no_text_from_outside_becomes_a_command(output: str) -> None:
    own, _ = walk(output, harmless)
    wrote, said = walk(output, as_it_is)
    is_safe(wrote, {sequence.kind for sequence in sequences(own)} | DRAWING)
    assert re.search(r"\d+ control characters made visible or removed", said)


def start(tone: Callable[[str], str], case: str, number: int) -> str:
    """All that the program wrote where the server, its address or the command line is hostile."""
    text = tone(LINES[number])
    body = {
        "error": failure(500, text),
        "page": Plain(502, f"<html><title>{text}</title></html>".encode(), "text/html"),
        "place": Plain(302, headers=(("Location", "http://a/" + re.sub("[\x00\r\n]", "", text)),)),
    }.get(case)
    argv = [*QWENTUI, "--model", text.replace("\x00", "")] if case == "model" else QWENTUI
    places = {} if body is None else dict.fromkeys(("/api/version", "/v1/models", "/", "/api/tags"), body)
    with ScriptedServer(models=models(tone), at=places).in_thread() as server:
        host = f"http://127.0.0.1{text}".replace("\x00", "") if case == "host" else server.url
        with Terminal(argv, env={"OLLAMA_HOST": host}) as terminal:
            terminal.wait_until(
                lambda: (
                    terminal.process.poll() is not None
                    or re.search("try again|takes it", terminal.screen_text())
                )
            )
            terminal.send("\x11")
            terminal.wait_exit()
            assert b"Traceback" not in terminal.raw
            return terminal.raw.decode()


@pytest.mark.parametrize("case", ["error", "page", "place", "host", "model"])
def test_a_start_that_goes_wrong_is_as_safe(case: str) -> None:
    allowed = {sequence.kind for sequence in sequences(start(harmless, case, 0))}
    for number in range(len(LINES)):
        is_safe(start(as_it_is, case, number), allowed | DRAWING)
