"""The Fenwick tree of heights against a plain list."""

from __future__ import annotations

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from qwentui.tui.transcript.heights import Heights

heights = st.lists(st.integers(0, 50), max_size=60)
change = st.one_of(
    st.tuples(st.just("append"), st.integers(0, 50), st.just(0)),
    st.tuples(st.just("set"), st.integers(0, 50), st.integers(0, 100)),
    st.tuples(st.just("truncate"), st.integers(0, 100), st.just(0)),
)


def apply(tree: Heights, plain: list[int], kind: str, number: int, at: int) -> None:
    if kind == "append":
        tree.append(number)
        plain.append(number)
    elif kind == "set" and plain:
        tree[at % len(plain)] = number
        plain[at % len(plain)] = number
    elif kind == "truncate":
        tree.truncate(number)
        del plain[number:]


@given(heights, st.lists(change, max_size=30))
def test_a_tree_says_what_a_plain_list_says(start: list[int], changes: list[tuple[str, int, int]]) -> None:
    tree, plain = Heights(start), list(start)
    for kind, number, at in changes:
        apply(tree, plain, kind, number, at)
    tops = [0, *accumulate(plain)]
    assert len(tree) == len(plain)
    assert [tree[index] for index in range(len(plain))] == plain
    assert [tree.top(index) for index in range(len(plain) + 1)] == tops
    assert tree.total == sum(plain)


@given(heights)
def test_each_row_finds_its_item(plain: list[int]) -> None:
    tree = Heights(plain)
    found = [tree.find(row) for row in range(sum(plain))]
    assert found == [(index, row) for index, height in enumerate(plain) for row in range(height)]


@given(heights, st.integers(0, 10))
def test_a_row_below_the_end_belongs_to_no_item(plain: list[int], below: int) -> None:
    assert Heights(plain).find(sum(plain) + below) == (len(plain), below)
