"""What the built-in model's process runs: llama.cpp's own HTTP server, until the parent is gone.

The order comes as one line of JSON on stdin, so that the API key shows in no process list; the answer goes
as one line of JSON to stdout: `{"address": ...}` when the model is loaded, `{"missing": ...}` when there is
no llama.cpp. stderr is llama.cpp's own log. The end of stdin is the end of the process.

The file is run by its path and imports nothing of the package, for it needs no more than llama.cpp.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # prctl(2), linux/prctl.h
_WARNINGS = 2  # llama.cpp's `--verbosity`: errors and warnings
_PROMPT_CACHE_MIB = 1024


def main() -> None:
    """Serve the model that stdin names, until the end of stdin ends the process."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # whatever llama.cpp prints to stdout is log as well
    with open(0, "rb", buffering=0, closefd=False) as orders:
        order = json.loads(orders.readline())
    _die_with(order["parent"])
    try:
        import xllamacpp
    except ImportError as error:
        answers.write(json.dumps({"missing": str(error)}) + "\n")
        return
    parameters = xllamacpp.CommonParams()
    parameters.model.path = order["model"]
    parameters.model_alias = {order["name"]}
    parameters.api_keys = [order["api_key"]]
    parameters.n_ctx = order["n_ctx"]
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.verbosity = _WARNINGS
    # Holds the prompts of other chats: coming back to one does not evaluate it anew. 8 GiB by default.
    parameters.cache_ram_mib = _PROMPT_CACHE_MIB
    server = xllamacpp.Server(parameters)
    answers.write(json.dumps({"address": server.listening_address}) + "\n")
    threading.Event().wait()


def _die_with(parent: int) -> None:
    """End this process when `parent` ends, however that happens.

    The end of stdin tells it everywhere. It is read by a Python thread, which stands still while llama.cpp
    loads the model and holds the interpreter's lock; so on Linux the kernel is asked as well.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(0)
    threading.Thread(target=_exit_at_end_of_stdin, daemon=True).start()


def _exit_at_end_of_stdin() -> None:
    """Leave at once, without llama.cpp's clean-up, which waits for requests that run."""
    while os.read(0, 1):
        pass
    os._exit(0)


if __name__ == "__main__":
    main()
