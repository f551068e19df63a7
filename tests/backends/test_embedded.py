"""The child process: loading, failing, dying with its parent. The model is tiny, llama.cpp is real."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
import venv
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest
from tiny_gguf import write_gguf

from qwentui.backends.embedded import EmbeddedServer, RunningServer
from qwentui.chat.errors import EmbeddedError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

DEADLINE = 30.0

PARENT = """
import asyncio, pathlib, sys
from qwentui.backends.embedded import EmbeddedServer
async def main():
    server = EmbeddedServer(pathlib.Path(sys.argv[1]), "tiny")
    await server.start()
    print(server.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""

STARVED = """
import asyncio, pathlib, resource, sys
from qwentui.backends.embedded import EmbeddedError, EmbeddedServer
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
try:
    asyncio.run(EmbeddedServer(pathlib.Path(sys.argv[1]), "tiny", n_ctx=8_000_000).start())
except EmbeddedError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
async def server(tiny: Path) -> AsyncIterator[EmbeddedServer]:
    server = EmbeddedServer(tiny, "tiny")
    yield server
    await server.aclose()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for `condition`, at most until the deadline."""

    def watch() -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    await asyncio.to_thread(watch)


def is_gone(pid: int | None) -> bool:
    """Whether the process runs no more; nobody may have collected its exit status yet."""
    assert pid is not None
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def cut(gguf: Path, to: Path) -> Path:
    return put(to, gguf.read_bytes()[:60_000])


async def get(running: RunningServer, path: str, key: str) -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        return await client.get(running.base_url + path, headers={"Authorization": f"Bearer {key}"})


async def failure(gguf: Path, python: str = sys.executable) -> EmbeddedError:
    server = EmbeddedServer(gguf, "tiny", python=python)
    with pytest.raises(EmbeddedError) as caught:
        await server.start()
    assert server.pid is None or is_gone(server.pid)
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    return caught.value


async def test_it_listens_on_loopback_and_lets_in_who_has_the_key(server: EmbeddedServer) -> None:
    running = await server.start()
    assert running.base_url.startswith("http://127.0.0.1:")
    assert (await get(running, "/v1/models", "wrong")).status_code == httpx.codes.UNAUTHORIZED
    [model] = (await get(running, "/v1/models", running.api_key)).json()["data"]
    assert model["id"] == "tiny"


async def test_it_listens_nowhere_else(server: EmbeddedServer) -> None:
    await server.start()
    sockets = psutil.Process(server.pid).net_connections(kind="inet")
    assert {entry.laddr.ip for entry in sockets if entry.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


async def test_the_key_shows_neither_in_the_process_list_nor_in_a_repr(server: EmbeddedServer) -> None:
    running = await server.start()
    process = psutil.Process(server.pid)
    assert running.api_key not in " ".join([*process.cmdline(), *process.environ().values()])
    assert running.api_key not in repr(running)


async def test_closing_ends_the_child(server: EmbeddedServer) -> None:
    await server.start()
    await server.aclose()
    assert is_gone(server.pid)
    assert await server.ended() == "it ended with status 0"


async def test_closing_again_or_before_the_start_does_nothing(server: EmbeddedServer) -> None:
    await server.aclose()
    await server.start()
    await server.aclose()
    await server.aclose()


async def test_closing_ends_even_a_child_that_does_not_listen(server: EmbeddedServer) -> None:
    await server.start()
    psutil.Process(server.pid).suspend()
    await server.aclose()
    assert is_gone(server.pid)


async def test_cancelling_the_start_leaves_no_child(server: EmbeddedServer) -> None:
    starting = asyncio.create_task(server.start())
    await until(lambda: server.pid is not None)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert is_gone(server.pid)


@pytest.mark.parametrize(
    "stopped",
    [
        pytest.param(False, id="by the end of stdin"),
        pytest.param(
            True,
            id="by the kernel",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PR_SET_PDEATHSIG"),
        ),
    ],
)
async def test_it_dies_when_its_parent_is_killed(tiny: Path, stopped: bool) -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT, str(tiny)), stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    try:
        async with asyncio.timeout(DEADLINE):
            child = int(await parent.stdout.readline())
        if stopped:  # deaf to the end of stdin, as it is while llama.cpp loads a model
            os.kill(child, signal.SIGSTOP)
    finally:
        parent.kill()
        await parent.wait()
    await until(lambda: is_gone(child))


async def test_a_child_that_died_says_how(server: EmbeddedServer) -> None:
    await server.start()
    assert await server.ended() == ""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await server.ended() == "it was ended by SIGKILL"


async def test_ctrl_c_in_the_terminal_does_not_reach_it(server: EmbeddedServer) -> None:
    await server.start()
    assert server.pid is not None
    assert os.getpgid(server.pid) != os.getpgid(0)


async def test_its_log_reaches_neither_stdout_nor_stderr(
    tiny: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for gguf in (tiny, write_gguf(tmp_path / "odd.gguf", architecture="nonesuch")):
        server = EmbeddedServer(gguf, "tiny")
        try:
            await server.start()
        except EmbeddedError:
            pass
        finally:
            await server.aclose()
    assert capfd.readouterr() == ("", "")


async def test_what_is_kept_of_a_long_log_is_bounded(server: EmbeddedServer) -> None:
    running = await server.start()
    async with httpx.AsyncClient(trust_env=False, timeout=DEADLINE) as client:
        for _ in range(400):  # each leaves a warning in the log
            await client.get(running.base_url + "/v1/models")
    await until(lambda: len(server._log) == 16_384)
    assert b"unauthorized" in server._log[-200:]


async def test_a_missing_file_is_told_at_once(tmp_path: Path) -> None:
    error = await failure(tmp_path / "none.gguf")
    assert (
        error.message == f"The model file {tmp_path / 'none.gguf'} cannot be read: No such file or directory."
    )


async def test_a_folder_is_no_model(tmp_path: Path) -> None:
    assert "Is a directory" in (await failure(tmp_path)).message


async def test_another_kind_of_file_is_told_at_once(tmp_path: Path) -> None:
    error = await failure(put(tmp_path / "notes.gguf", b"Dear diary"))
    assert error.message.endswith("notes.gguf is not a GGUF file.")


async def test_an_incomplete_file_is_told_with_llama_cpps_reason(tiny: Path, tmp_path: Path) -> None:
    error = await failure(cut(tiny, tmp_path / "cut.gguf"))
    assert error.message.startswith("llama.cpp could not load cut.gguf: ")
    assert "model is corrupted or incomplete" in error.message


async def test_an_unknown_architecture_is_told(tmp_path: Path) -> None:
    error = await failure(write_gguf(tmp_path / "odd.gguf", architecture="nonesuch"))
    assert error.message == "llama.cpp could not load odd.gguf: unknown model architecture: 'nonesuch'."
    assert error.hint == "A newer llama.cpp may know it: pip install -U xllamacpp"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux obeys RLIMIT_AS")
async def test_too_little_memory_is_told(tiny: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", STARVED, str(tiny)), stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(DEADLINE):
        said = (await process.communicate())[0].decode()
    assert said.startswith("llama.cpp could not load tiny.gguf: ")
    assert "There is too little memory" in said


async def test_a_python_without_llama_cpp_is_told_how_to_get_it(tiny: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "bare", symlinks=True)
    error = await failure(tiny, str(tmp_path / "bare" / "bin" / "python"))
    assert error.message == "llama.cpp is missing, which runs the built-in model."
    assert "qwentui[embedded]" in error.hint
