from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwentui.chat.matching import fitting
from qwentui.chat.persona import VARIABLES, fill_in

VALUES = {"date": "2026-01-02", "user": "ada", "host": "a10"}
NAMES = st.text(st.sampled_from("abcXY-电商客服"), min_size=1, max_size=8)


def filled(system: str) -> str:
    return fill_in(system, VALUES, lambda name: f"<{name}>")


def test_the_variables_are_replaced_and_all_else_in_braces_stays() -> None:
    assert filled("{date} {user}@{host} {file: notes.md }") == "2026-01-02 ada@a10 <notes.md>"
    for text in ("{name}", "{}", "{ date }", "{Date}", "{file:}", "{file:a\nb}", '{"date": 1}', "%s {0}"):
        assert filled(text) == text
    assert filled("{{date}}") == "{2026-01-02}"


@given(st.text(st.sampled_from("{}:dateflusrhon x\n电"), max_size=60))
def test_a_text_without_variables_is_as_it_was(text: str) -> None:
    if not any(f"{{{name}}}" in text for name in VARIABLES) and "{file:" not in text:
        assert filled(text) == text


@given(st.lists(st.one_of(st.sampled_from(VARIABLES), st.text(st.characters(exclude_characters="{}")))))
def test_each_variable_is_replaced_where_it_stands(parts: list[str]) -> None:
    system = "".join(f"{{{part}}}" if part in VARIABLES else part for part in parts)
    assert filled(system) == "".join(VALUES.get(part, part) for part in parts)


@given(st.sampled_from(VARIABLES), st.text())
def test_what_is_put_in_is_not_looked_at_again(name: str, text: str) -> None:
    assert fill_in("{file:x}", VALUES, lambda _: f"{{{name}}}{text}") == f"{{{name}}}{text}"


def fits(wanted: str, *names: str) -> list[str]:
    return fitting(wanted, ((name, (name,)) for name in names))


def test_a_few_letters_in_order_suffice_and_several_are_a_question() -> None:
    names = ("python-reviewer", "python", "shell", "电商客服专家")
    assert fits("PYTHON", *names) == ["python"]
    assert fits("python-", *names) == ["python-reviewer"]
    assert fits("pyrv", *names) == ["python-reviewer"]
    assert fits("电客", *names) == ["电商客服专家"]
    assert fits("py", *names) == ["python-reviewer", "python"]
    assert fits("zz", *names) == []


@given(st.lists(NAMES, unique_by=str.casefold, min_size=1), st.data())
def test_each_name_finds_itself_alone_and_its_letters_find_it_too(
    names: list[str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(names))
    assert fits(name.swapcase(), *names) == [name]
    kept = data.draw(st.lists(st.booleans(), min_size=len(name), max_size=len(name)))
    letters = "".join(letter for letter, keep in zip(name, kept, strict=True) if keep)
    found = fits(letters, *names)
    # A name that begins so goes before one that holds the letters.
    assert name in found or any(other.casefold().startswith(letters.casefold()) for other in found)
