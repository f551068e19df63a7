from __future__ import annotations

import commands_table
import keys_table
from readme_tables import README, with_table

from qwentui.keyboard.table import KEYS


def test_the_keys_in_the_readme_are_those_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text, "keys", keys_table.table()) == text


def test_the_commands_in_the_readme_are_those_of_the_program() -> None:
    text = README.read_text(encoding="utf-8")
    assert with_table(text, "commands", commands_table.table()) == text


def test_the_chinese_readme_begins_with_the_same_command() -> None:
    chinese = README.with_name("README.zh-CN.md").read_text(encoding="utf-8")
    first = README.read_text(encoding="utf-8").partition("```sh\n")[2].partition("```")[0]
    assert chinese.partition("```sh\n")[2].partition("```")[0] == first


def test_no_two_keys_of_one_place_are_the_same_and_none_hides_another() -> None:
    taken: dict[tuple[str, str], str] = {}
    for key in KEYS:
        for name in key.keys.split(","):
            places = (
                ("chat", "composer", "transcript") if key.where in {"everywhere", "chat"} else (key.where,)
            )
            for place in places:
                assert (place, name) not in taken, f"{key.id} and {taken[place, name]} share {name}"
                taken[place, name] = key.id
