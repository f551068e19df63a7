"""2,000 replies, every fifth broken: are all texts right, and what is left behind.

    PYTHONPATH=tests python tests/bench/bench_recovery.py [REPLIES]

Prints figures; exits with 1 if a text was wrong or something was left.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path

from soak import soak


def main() -> None:
    """Run it once."""
    replies = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(soak(Path(folder) / "sessions.db", replies, seed=1, tell=print))
    growth = (found.memory[-1] - found.memory[0]) / 1e6
    print(f"{found.replies} replies in {time.monotonic() - start:.0f} s, {found.mended} faults mended")
    print(f"wrong texts: {len(found.wrong)} {found.wrong[:10]}")
    print(
        f"left: {found.tasks} tasks, {found.sockets} sockets; memory grew by {growth:.1f} MB after a quarter"
    )
    sys.exit(bool(found.wrong or found.tasks or found.sockets))


if __name__ == "__main__":
    main()
