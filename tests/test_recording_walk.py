"""Any walk through the branches of a talk, against a model of the tree: nothing is shown wrong, or lost."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from store.storing import answer

from qwentui.chat.conversation import Conversation
from qwentui.chat.errors import StoreError
from qwentui.chat.message import Message, Role
from qwentui.recording import AskedWith, Recorder
from qwentui.store.database import Database
from qwentui.store.imports import import_file
from qwentui.store.jsonl import Format, exported, session_ids
from qwentui.store.sessions import SessionStore
from qwentui.store.writer import StoreWriter

if TYPE_CHECKING:
    from qwentui.store.records import ShownMessage, ShownTurn

ASKED = AskedWith("qwen3", options={"num_ctx": 8192})
PLACE = st.integers(0, 1 << 16)


@dataclass(eq=False)
class Node:
    """A message of the model."""

    id: int
    text: str
    asked: bool
    parent: Node | None
    gone: bool = False


class Tree:
    """What the store is to hold, in the plainest way: every question is answered by a walk over all nodes."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.head: Node | None = None

    def grow(self, known: ShownMessage, text: str, *, asked: bool, parent: Node | None) -> Node:
        self.head = Node(known.id, text, asked, parent)
        self.nodes.append(self.head)
        return self.head

    def path(self) -> list[Node]:
        found: list[Node] = []
        node = self.head
        while node is not None:
            found[:0] = [] if node.gone else [node]
            node = node.parent
        return found

    def living(self, node: Node | None) -> Node | None:
        while node is not None and node.gone:
            node = node.parent
        return node

    def below(self, node: Node | None) -> list[Node]:
        return [child for child in self.nodes if not child.gone and self.living(child.parent) is node]

    def leaf(self, node: Node | None) -> Node | None:
        while children := self.below(node):
            node = children[-1]
        return node

    def rounds(self) -> list[tuple[Node | None, Node | None]]:
        rounds: list[tuple[Node | None, Node | None]] = []
        for node in self.path():
            if node.asked:
                rounds.append((node, None))
            elif rounds and rounds[-1][1] is None:
                rounds[-1] = (rounds[-1][0], node)
            else:
                rounds.append((None, node))
        return rounds


def _text(node: Node | None) -> str | None:
    return None if node is None else node.text


class Walk(RuleBasedStateMachine):
    """A user who says, edits, asks again, steps, deletes and undoes, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "sessions.db"
        self.loop = asyncio.Runner()
        self.writer = StoreWriter(self.file)
        self.loop.run(self._open())
        self.recorder = Recorder(self.writer)
        self.shown = Conversation()
        self.tree = Tree()
        self.deleted: list[tuple[int, ...]] = []
        self.said = 0

    async def _open(self) -> None:
        await self.writer.open()

    def _new_text(self) -> str:
        self.said += 1
        return f"m{self.said}"

    def _answered(self, question: Node) -> None:
        text = self._new_text()
        self.loop.run(self.recorder.answered(answer(text)))
        known = self.recorder.turns[-1].reply
        assert known is not None
        self.tree.grow(known, text, asked=False, parent=question)
        self._reload()

    def _reload(self) -> None:
        session = self.recorder.session
        assert session is not None
        loaded = self.loop.run(self.writer.read(lambda store: store.load(session)))
        # What the recorder knew without looking is what is there.
        assert [_ids(turn) for turn in loaded.turns] == [_ids(turn) for turn in self.recorder.turns]
        self.recorder = Recorder(self.writer, session, loaded.turns)
        self.shown = loaded.conversation

    @rule()
    def say(self) -> None:
        text, parent = self._new_text(), self.tree.head
        self.loop.run(self.recorder.asked(Message(Role.USER, text), ASKED))
        self._grown(text, parent)

    @precondition(lambda self: self.tree.path())
    @rule(place=PLACE)
    def revise(self, place: int) -> None:
        turn = place % len(self.tree.rounds())
        revised = self.tree.rounds()[turn][0]
        text = self._new_text()
        if revised is None:
            with pytest.raises(StoreError, match="question of that reply was deleted"):
                self.loop.run(self.recorder.asked(Message(Role.USER, text), ASKED, beside=turn))
            return
        self.loop.run(self.recorder.asked(Message(Role.USER, text), ASKED, beside=turn))
        self._grown(text, revised.parent)

    def _grown(self, text: str, parent: Node | None) -> None:
        known = self.recorder.turns[-1].user
        assert known is not None
        self._answered(self.tree.grow(known, text, asked=True, parent=parent))

    @precondition(lambda self: self.tree.path())
    @rule(place=PLACE)
    def regenerate(self, place: int) -> None:
        turn = place % len(self.tree.rounds())
        question = self.tree.rounds()[turn][0]
        if question is None:
            with pytest.raises(StoreError, match="question of that reply was deleted"):
                self.loop.run(self.recorder.asked_again(turn, ASKED))
            return
        self.loop.run(self.recorder.asked_again(turn, ASKED))
        self._answered(question)

    @precondition(lambda self: self.tree.path())
    @rule(place=PLACE, version=PLACE)
    def step(self, place: int, version: int) -> None:
        path = self.tree.path()
        versions = self.tree.below(self.tree.living(path[place % len(path)].parent))
        chosen = versions[version % len(versions)]
        self.shown = self.loop.run(self.recorder.show(chosen.id))
        self.tree.head = self.tree.leaf(chosen)

    @precondition(lambda self: self.tree.path())
    @rule(place=PLACE, reply_only=st.booleans())
    def delete(self, place: int, reply_only: bool) -> None:
        turn = place % len(self.tree.rounds())
        question, reply = self.tree.rounds()[turn]
        self.shown, hidden = self.loop.run(self.recorder.delete(turn, reply_only=reply_only))
        gone = [] if reply is None else [reply]
        if question is not None and not reply_only:
            gone = [question, *(n for n in self.tree.nodes if n.parent is question and not n.asked)]
        gone = [node for node in gone if not node.gone]
        assert set(hidden) == {node.id for node in gone}
        for node in gone:
            node.gone = True
        last = self.tree.living(self.tree.head)
        if self.tree.below(last):
            self.tree.head = self.tree.leaf(last)
        if hidden:
            self.deleted.append(hidden)

    @precondition(lambda self: self.deleted)
    @rule()
    def undo(self) -> None:
        hidden = self.deleted.pop()
        self.shown = self.loop.run(self.recorder.restore(hidden))
        back = [node for node in self.tree.nodes if node.id in hidden]
        for node in back:
            node.gone = False
        if not any(node in self.tree.path() for node in back):
            self.tree.head = self.tree.leaf(next(node for node in back if node.id == hidden[-1]))

    @invariant()
    def what_is_shown_is_the_branch_of_the_model(self) -> None:
        pairs = [
            (turn.user.content or None, None if turn.reply is None else turn.reply.message.content)
            for turn in self.shown.turns
        ]
        assert pairs == [(_text(question), _text(reply)) for question, reply in self.tree.rounds()]
        known = [found for turn in self.recorder.turns for found in (turn.user, turn.reply) if found]
        assert [found.id for found in known] == [node.id for node in self.tree.path()]
        for found, node in zip(known, self.tree.path(), strict=True):
            same_place = self.tree.below(self.tree.living(node.parent))
            assert found.versions == tuple(other.id for other in same_place)

    @invariant()
    def nothing_is_lost_from_the_store(self) -> None:
        with closing(sqlite3.connect(self.file)) as store:
            rows = store.execute("SELECT id, content, deleted_at IS NULL FROM messages ORDER BY id")
            assert rows.fetchall() == [(node.id, node.text, not node.gone) for node in self.tree.nodes]

    def _walk_everywhere(self) -> set[int]:
        """All messages that are met by stepping through versions, again and again."""
        met: set[int] = set()
        offered: set[int] = set()
        while True:
            known = [found for turn in self.recorder.turns for found in (turn.user, turn.reply) if found]
            met |= {found.id for found in known}
            offered |= {version for found in known for version in found.versions}
            if not offered - met:
                return met
            self.loop.run(self.recorder.show(min(offered - met)))

    def teardown(self) -> None:
        try:
            assert self._walk_everywhere() == {node.id for node in self.tree.nodes if not node.gone}
            self._export_and_import()
        finally:
            self.writer.close()
            self.loop.close()
            self.folder.cleanup()

    def _export_and_import(self) -> None:
        """What leaves as JSONL comes back with every branch, each of its versions, and the one on show."""
        there = Path(self.folder.name) / "there.db"
        out = Path(self.folder.name) / "out.jsonl"
        with closing(Database.open(self.file)) as one, closing(Database.open(there)) as other:
            out.write_bytes(b"".join(exported(one, session_ids(one), Format.JSONL)))
            store, copy = SessionStore(one), SessionStore(other)
            assert import_file(copy, out).problems == ()
            assert b"".join(exported(other, session_ids(other), Format.JSONL)) == out.read_bytes()
            for session in session_ids(one):
                here, back = store.load(session), copy.load(session)
                assert back.conversation == here.conversation
                assert [_widths(turn) for turn in back.turns] == [_widths(turn) for turn in here.turns]


def _ids(turn: ShownTurn) -> tuple[int | None, int | None]:
    return turn.user and turn.user.id, turn.reply and turn.reply.id


def _widths(turn: ShownTurn) -> tuple[int, int]:
    return len(turn.user.versions) if turn.user else 0, len(turn.reply.versions) if turn.reply else 0


TestWalk = Walk.TestCase
TestWalk.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
