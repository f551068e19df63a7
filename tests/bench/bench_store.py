"""How fast the store is, and what it loses when its program is killed.

    PYTHONPATH=tests python tests/bench/bench_store.py            # builds a store of 100,000 messages first
    PYTHONPATH=tests python tests/bench/bench_store.py kill 50    # only the kills

Prints figures; asserts nothing about time.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from store.storing import answer, committed_and_lost

from qwentui.store.database import Database
from qwentui.store.imports import import_file
from qwentui.store.jsonl import Format, exported, session_ids
from qwentui.store.sessions import SessionStore
from qwentui.store.statistics import statistics as costs
from qwentui.store.statistics import typical
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SESSIONS = 10_000
ROUNDS = 5


def talk(chance: random.Random) -> Iterator[str]:
    """Endless messages, Chinese and English, of words as frequent as words are (Zipf)."""
    han = [chr(0x4E00 + number) for number in range(3500)]
    rare = [1 / (rank + 3) for rank in range(len(han))]
    chinese = ["".join(chance.choices(han, rare, k=chance.choice((1, 2, 2, 2, 3)))) for _ in range(20_000)]
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    english = [
        "".join(chance.choices(letters, range(26, 0, -1), k=chance.randint(2, 9))) for _ in range(20_000)
    ]
    zipf = list(itertools.accumulate(1 / (rank + 2) for rank in range(20_000)))
    while True:
        if chance.random() < 0.6:
            yield "".join(chance.choices(chinese, cum_weights=zipf, k=chance.choice((10, 20, 60, 200))))
        else:
            yield " ".join(chance.choices(english, cum_weights=zipf, k=chance.choice((10, 30, 100, 200))))


def build(path: Path) -> None:
    """A store of `SESSIONS` sessions with `ROUNDS` rounds each."""
    words = talk(random.Random(1))
    with closing(Database.open(path)) as database:
        store = SessionStore(database)
        for batch in range(SESSIONS // 100):
            with database.transaction():
                for number in range(100):
                    session = store.create(model="qwen3-32b-local")
                    for _ in range(ROUNDS):
                        question = store.messages.ask(session, next(words)[:120])
                        reply = store.messages.begin_reply(question, model="qwen3-32b-local")
                        store.messages.finish_reply(reply, answer(next(words)))
                    if batch == SESSIONS // 200 and not number:
                        store.messages.ask(session, "一只鳘鱼和 zyxomma 蜻蜓")
        database.connection.execute(
            "UPDATE messages SET ttft = abs(random()) % 4000 / 1000.0, elapsed = 4, eval_count = 100,"
            " eval_duration = 2 WHERE role = 'assistant'"
        )


def best(run: Callable[[], object], times: int = 5) -> float:
    """The shortest of several runs, in milliseconds; the first one warms the cache and does not count."""
    run()
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        run()
        taken.append((time.perf_counter() - start) * 1000)
    return min(taken)


def reading(path: Path) -> None:
    """Listing, searching and loading in the big store."""
    start = time.perf_counter()
    database = Database.open(path)
    print(f"open                              {(time.perf_counter() - start) * 1000:8.1f} ms")
    with closing(database):
        store = SessionStore(database)
        print(f"list, first 100                   {best(store.listed):8.1f} ms")
        print(f"list, all                         {best(lambda: store.listed(limit=SESSIONS)):8.1f} ms")
        print(f"list, titles filtered             {best(lambda: store.listed(matching='丅')):8.1f} ms")
        first = store.listed(limit=1)[0].id
        opened = database.connection
        print(f"statistics by day                 {best(lambda: list(costs(opened, by_day=True))):8.1f} ms")
        print(f"what is usual for a model         {best(lambda: typical(opened, 'qwen3-32b-local')):8.1f} ms")
        print(f"load a session                    {best(lambda: store.load(first)):8.1f} ms")
        for query in frequencies(store):
            hits = store.search(query)
            print(f"search {query:<20} {len(hits):3} hits {best(partial(store.search, query)):8.1f} ms")


def frequencies(store: SessionStore) -> list[str]:
    """Queries of one, two and three characters, from very common to very rare, and mixed ones."""
    rows = store.database.connection.execute("SELECT content FROM messages WHERE id % 20 = 0")
    counts: list[dict[str, int]] = [{}, {}, {}]
    for row in rows:
        for length, found in enumerate(counts, 1):
            for gram in {row["content"][at : at + length] for at in range(len(row["content"]) - length + 1)}:
                if not any(map(str.isspace, gram)):
                    found[gram] = found.get(gram, 0) + 1
    queries = []
    for found in counts:
        ranked = sorted(found, key=lambda gram: found[gram], reverse=True)
        queries += [ranked[len(ranked) * share // 1000] for share in (0, 1, 5, 20, 100, 900)]
    common, rare = queries[0], queries[5]
    return [
        *queries,
        "鳘",
        "鳘鱼",
        "zyxomma",
        "蜻蜓",
        "no-such-word",
        f"{common} 鳘",
        f"{rare} {common}",
        "鳘 zyxomma",
    ]


async def writing(path: Path) -> None:
    """How long a commit takes, and how old text is when it reaches the disk."""
    writer = StoreWriter(path)
    await writer.open()
    session = await writer.write(lambda store: store.create())
    taken = []
    for _ in range(200):
        start = time.perf_counter()
        await writer.write(lambda store: store.messages.ask(session, "又一个问题 " * 20))
        taken.append((time.perf_counter() - start) * 1000)
    taken.sort()
    print(
        f"commit of a user's message        {statistics.median(taken):8.1f} ms median, {taken[-3]:.1f} ms p99"
    )
    question = await writer.write(lambda store: store.messages.ask(session, "go"))
    reply = await writer.write(lambda store: store.messages.begin_reply(question, model="m"))
    stalls, ages = await streamed(writer, path, reply)
    print(f"append, longest stall of the loop {max(stalls) * 1000:8.2f} ms in {len(stalls)} pieces")
    print(
        f"age of text on the disk           {statistics.median(ages):8.1f} ms median, {max(ages):.1f} ms most"
    )
    writer.close()


async def streamed(writer: StoreWriter, path: Path, reply: int) -> tuple[list[float], list[float]]:
    """Stream numbered pieces for some seconds, and watch from outside when they arrive."""
    sent: list[float] = []
    stalls: list[float] = []
    ages: list[float] = []
    seen = 0
    with closing(sqlite3.connect(path)) as watch:
        for number in range(1500):
            start = time.perf_counter()
            writer.append(reply, f"{number:07}\n")
            sent.append(start)
            stalls.append(time.perf_counter() - start)
            size = watch.execute("SELECT length(content) FROM messages WHERE id = ?", (reply,)).fetchone()[0]
            if size // 8 > seen:
                ages.append((time.perf_counter() - sent[seen]) * 1000)
                seen = size // 8
            await asyncio.sleep(0.002)
    return stalls, ages


def exchanging(path: Path, folder: Path) -> None:
    """Export and import of everything."""
    out = folder / "out.jsonl"
    with closing(Database.open(path)) as database, out.open("wb") as file:
        process = psutil.Process()
        before = most = process.memory_info().rss
        start = time.perf_counter()
        for number, piece in enumerate(exported(database, session_ids(database), Format.JSONL)):
            file.write(piece)
            if number % 1000 == 0:
                most = max(most, process.memory_info().rss)
        taken = time.perf_counter() - start
        grown = (most - before) / (1 << 20)
    print(
        f"export                            {taken:8.1f} s, {out.stat().st_size >> 20} MB, {grown:.1f} MB more memory"
    )
    with closing(Database.open(folder / "in.db")) as database:
        start = time.perf_counter()
        result = import_file(SessionStore(database), out)
        print(
            f"import                            {time.perf_counter() - start:8.1f} s, {result.messages} messages"
        )


def kills(times: int, folder: Path) -> None:
    """Kill a streaming program at random moments."""
    chance = random.Random(os.getpid())
    worst = 0.0
    for number in range(times):
        lost = committed_and_lost(folder / f"kill{number}.db", chance.uniform(0.05, 2.0))
        worst = max(worst, lost)
    print(
        f"kill -9, {times} times                 {worst * 1000:8.1f} ms of text lost at most, no message, all whole"
    )


def main() -> None:
    """Run what the command line asks for."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if sys.argv[1:2] == ["kill"]:
            kills(int(sys.argv[2]), folder)
            return
        path = folder / "big.db"
        start = time.perf_counter()
        build(path)
        size = path.stat().st_size >> 20
        print(
            f"build of {SESSIONS * ROUNDS * 2} messages           {time.perf_counter() - start:8.1f} s, {size} MB"
        )
        reading(path)
        asyncio.run(writing(path))
        exchanging(path, folder)
        kills(10, folder)


if __name__ == "__main__":
    main()
