from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.joining import Seam, sent_back

TEXT = st.text(alphabet=st.sampled_from("ab好👩\u200d💻 \n\t`"), max_size=30)


def _fed(seam: Seam, pieces: list[str]) -> str:
    return "".join(seam.feed(piece) for piece in pieces)


@given(text=TEXT, data=st.data())
def test_a_reply_cut_anywhere_joins_to_the_whole_one(text: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(text)))
    partial = text[:cut]
    rest = text[len(sent_back(partial)) :]
    borders = sorted(data.draw(st.lists(st.integers(0, len(rest)), max_size=5)))
    pieces = [rest[start:end] for start, end in zip([0, *borders], [*borders, len(rest)], strict=True)]
    joined = partial + _fed(Seam(partial), pieces)
    # A reply that ends inside the white space that is there already has nothing new to bring.
    assert joined == text or joined.rstrip() == text.rstrip()


@given(partial=TEXT, rest=TEXT)
def test_what_is_shown_stays_and_no_letter_is_lost(partial: str, rest: str) -> None:
    new = _fed(Seam(partial), [rest])
    assert new == "" or rest.endswith(new)
    assert "".join(new.split()) == "".join(rest.split())


def test_a_space_is_not_doubled() -> None:
    assert _fed(Seam("one two "), [" three"]) == "three"
    assert _fed(Seam("one two "), ["three"]) == "three"
    assert _fed(Seam("one two"), [" three"]) == " three"


def test_the_indentation_in_a_fence_joins() -> None:
    assert _fed(Seam("```\ndef f():\n    "), ["\n", "    return 1"]) == "return 1"
    assert _fed(Seam("```\nif x:\n"), ["\n        y"]) == "        y"


def test_a_piece_of_white_space_alone_waits_for_the_next_one() -> None:
    seam = Seam("end.\n\n")
    assert seam.feed("\n") == ""
    assert seam.feed("\n# Next") == "# Next"
