from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwentui.keyboard.keymap import DEFAULT, Keymap, _Making, names
from qwentui.keyboard.names import is_certain, is_typed
from qwentui.keyboard.places import FOCUSED, PLACES, places_from, reaching
from qwentui.keyboard.table import KEYS, Where

IDS = [key.id for key in KEYS]
TEXTS = st.sampled_from(
    [
        "",
        "Ctrl+Q",
        "Ctrl+L",
        "x",
        "?",
        "Tab",
        "Ctrl+I",
        "Esc, F5",
        "Enter",
        "Ctrl+Shift+Q",
        "no key",
        "j,k",
        "Up",
    ]
)


def test_the_defaults_do_not_clash() -> None:
    # Escape closes a list of completions before it stops a reply.
    assert {(clash.winner.id, clash.loser.id) for clash in _Making()._clashes()} == {
        ("completion_close", "stop")
    }
    assert len(set(IDS)) == len(IDS)


def test_every_place_has_a_heading_and_an_order() -> None:
    assert set(PLACES) == set(get_args(Where))
    for here in PLACES:
        assert sorted(places_from(here)) == sorted(PLACES)


def test_keys_are_bound_otherwise_and_the_rest_stays() -> None:
    keymap = Keymap.of({"help": "F13", "fold": ""})
    assert keymap.spoken("help") == ("F13",)
    assert keymap.first("fold") == ""
    assert keymap.rebound == {"help", "fold"}
    assert keymap.troubles == ()
    assert {name for name in IDS if keymap[name] != DEFAULT[name]} == {"help", "fold"}


def test_an_id_that_there_is_not_is_passed_over_for_the_settings_warn_of_it() -> None:
    assert Keymap.of({"hlep": "F13"}).troubles == ()


@pytest.mark.parametrize(
    ("wanted", "told", "winner", "loser"),
    [
        # A chat's key goes before the composer's and the transcript's; of two in one place, the user's.
        ({"export": "F5"}, "F5 is bound to keys.export and keys.regenerate_last: keys.export wins.", "export", "regenerate_last"),
        ({"send": "Ctrl+O"}, "Ctrl+O is bound to keys.model and keys.send: keys.model wins.", "model", "send"),
        ({"down": "n"}, "n is bound to keys.down and keys.search_next: keys.down wins.", "down", "search_next"),
        ({"fold": "j"}, "j is bound to keys.fold and keys.down: keys.fold wins.", "fold", "down"),
        ({"suspend": "F7"}, "F7 is bound to keys.suspend and keys.memory: keys.suspend wins.", "suspend", "memory"),
        ({"suspend": "Ctrl+Q"}, "Ctrl+Q is bound to keys.quit and keys.suspend: keys.quit wins.", "quit", "suspend"),
    ],
)  # fmt: skip
def test_of_two_actions_on_one_key_one_wins_and_it_is_said(
    wanted: dict[str, str], told: str, winner: str, loser: str
) -> None:
    keymap = Keymap.of(wanted)
    assert told in keymap.troubles
    [name] = set(names((Keymap.of(wanted) if winner in wanted else DEFAULT)[winner])) & set(
        names(_wanted(wanted, loser))
    )
    assert name in names(keymap[winner])
    assert name not in names(keymap[loser])


def _wanted(wanted: dict[str, str], name: str):  # noqa: ANN202
    making = _Making()
    for each, text in wanted.items():
        making.rebind(each, text)
    return making.keys[name]


def test_one_key_in_two_places_that_never_meet_is_no_clash() -> None:
    assert Keymap.of({"rename_chat": "F2", "toggle_fold": "u", "undelete": ""}).troubles == ()


def test_the_chats_own_escape_still_works_where_the_composer_has_another_use_for_it() -> None:
    keymap = Keymap.of({"read": "Esc"})
    assert keymap.troubles == ("Esc is bound to keys.read and keys.stop: keys.read wins.",)
    assert keymap.first("stop") == "Esc"


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"fold": "Ctrl+I"}, "keys.fold: most terminals send Tab for Ctrl+I, which they cannot tell apart."),
        (
            {"fold": "ctrl+m"},
            "keys.fold: most terminals send Enter for Ctrl+M, which they cannot tell apart.",
        ),
        ({"fold": "ctrl+["}, "keys.fold: most terminals send Esc for Ctrl+[, which they cannot tell apart."),
        (
            {"fold": "ctrl+h"},
            "keys.fold: most terminals send Backspace for Ctrl+H, which they cannot tell apart.",
        ),
        ({"send": "x"}, "keys.send: x cannot be typed there any more."),
        ({"export": "x"}, "keys.export: x works only while nothing is written, for there it is typed."),
        (
            {"help": "F1, hlep"},
            'keys.help: "hlep" is no key, so it stays F1. Write Ctrl+L, F5, Esc or x, for example.',
        ),
    ],
)
def test_what_the_user_may_not_have_meant_is_said(wanted: dict[str, str], told: str) -> None:
    assert Keymap.of(wanted).troubles == (told,)


@pytest.mark.parametrize("text", ["", "q", "Ctrl+I", "Ctrl+Shift+Q", "F20"])
def test_ctrl_q_stays_where_nothing_else_would_surely_quit(text: str) -> None:
    keymap = Keymap.of({"quit": text, "new": "Ctrl+Q"})
    assert "Ctrl+Q" in keymap.spoken("quit")
    assert "keys.quit: Ctrl+Q stays, for nothing else would quit in every terminal." in keymap.troubles
    assert "Ctrl+Q is bound to keys.quit and keys.new: keys.quit wins." in keymap.troubles
    assert keymap.first("new") == ""


@given(st.dictionaries(st.sampled_from([*IDS, "unknown"]), TEXTS | st.text(max_size=6)))
def test_any_table_leaves_a_way_out_and_no_clash_unsaid(wanted: dict[str, str]) -> None:
    keymap = Keymap.of(wanted)
    assert any(is_certain(name) for name in names(keymap["quit"]))
    assert list(keymap.keys) == IDS
    for here in FOCUSED:
        taken: dict[str, str] = {}
        for key in keymap.keys.values():
            for name in names(key) if key.where in reaching(here) else ():
                if is_typed(name) and here in ("composer", "completion", "filter") and key.where != here:
                    continue
                if name in taken:
                    assert "stop" in (key.id, taken[name])
                    pair = {key.id, taken[name]}
                    told = any(all(f"keys.{each}" in trouble for each in pair) for trouble in keymap.troubles)
                    assert told or not pair & keymap.rebound
                taken[name] = key.id
