"""The language that the program speaks: how it is chosen, and how the source marks what is said."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from qwentui import language

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for path in (ROOT / "qwentui").rglob("*.py") if path.name != "language.py")
SAYING = {"_": 1, "N_": 1, "NP_": 2, "ngettext": 2, "pgettext": 2}
"""Each function that marks a message, with how many of its arguments are text."""

AT_RUN_TIME = {"_", "ngettext", "pgettext"}

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope = ast.Module | Function | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    language.use(language.ENGLISH)
    yield
    language.use(language.ENGLISH)


@pytest.mark.parametrize(
    ("environ", "found"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "C"}, "en"),
        ({"LANG": "zh_TW.UTF-8"}, "zh_CN"),
        ({"LANG": "ZH_cn"}, "zh_CN"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LC_MESSAGES": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LC_MESSAGES": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "LANGUAGE": "zh_CN"}, "zh_CN"),
        ({"LC_ALL": "zh_CN.UTF-8", "LANGUAGE": "en"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": ""}, "zh_CN"),
        ({"LANG": "en_US.UTF-8", "LANGUAGE": "zh_CN:en"}, "zh_CN"),
        ({"LANG": "zh_CN.UTF-8", "LANGUAGE": "en:zh_CN"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "", "LC_MESSAGES": ""}, "zh_CN"),
        ({"LC_CTYPE": "zh_CN.UTF-8", "LANG": "en_US.UTF-8"}, "en"),
    ],
)
def test_the_environment_chooses_as_it_does_for_gettext(environ: dict[str, str], found: str) -> None:
    assert language.preferred(environ) == found


def test_a_language_is_spoken_until_another_is() -> None:
    before = language._("tokens")
    language.use(language.CHINESE)
    assert language._catalogue is not None
    language.use(language.ENGLISH)
    assert language._("tokens") == before == "tokens"


@pytest.mark.parametrize(
    ("wanted", "environ", "is_chinese"),
    [
        ("auto", {"LANG": "zh_CN.UTF-8"}, True),
        ("auto", {"LANG": "en_US.UTF-8"}, False),
        ("zh_CN", {"LANG": "en_US.UTF-8"}, True),
        ("en", {"LANG": "zh_CN.UTF-8"}, False),
    ],
)
def test_the_setting_goes_before_the_environment(
    wanted: str, environ: dict[str, str], is_chinese: bool
) -> None:
    language.speak(wanted, environ)
    assert (language._catalogue is not None) == is_chinese


@pytest.mark.parametrize("spoken", [language.ENGLISH, language.CHINESE])
def test_what_no_catalogue_holds_is_said_as_it_stands(spoken: str) -> None:
    language.use(spoken)
    assert language._("Nobody says this.") == "Nobody says this."
    assert language._("") == ""
    assert language.N_("Nobody says this.") == "Nobody says this."
    assert language.pgettext("nowhere", "Nobody says this.") == "Nobody says this."
    assert language.ngettext("one of these", "many of these", 1) == "one of these"
    assert language.ngettext("one of these", "many of these", 2) == "many of these"


def _called(node: ast.AST) -> str:
    """The name of the marking function that is called here, or ""."""
    name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
    return name if name in SAYING else ""


def _texts(call: ast.Call) -> list[ast.expr]:
    return call.args[: SAYING[_called(call)]]


def _is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and bool(node.value)


def _is_named(node: ast.expr) -> bool:
    """Whether it is a constant's or variable's name, or a member or an entry of one."""
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)


def _takes_a_message(call: ast.Call) -> bool:
    """Whether a translator finds what is said: literally here, or where a constant is marked."""
    *contexts, message = _texts(call)
    if _called(call) == "ngettext":
        return all(map(_is_literal, _texts(call)))
    takes_names = _called(call) in {"_", "pgettext"}
    return all(map(_is_literal, contexts)) and (_is_literal(message) or (takes_names and _is_named(message)))


def _hidden(tree: ast.Module) -> Iterator[ast.Call]:
    """The calls inside of f-strings, which the search for messages takes for text, up to Python 3.11."""
    for outer in ast.walk(tree):
        if isinstance(outer, ast.JoinedStr):
            for node in ast.walk(outer):
                if isinstance(node, ast.Call) and _called(node) and any(map(_is_literal, _texts(node)[-1:])):
                    yield node


def _positional(call: ast.Call) -> bool:
    """Whether a message has places without a name, which a translator cannot put into another order."""
    messages = [text.value for text in _texts(call) if isinstance(text, ast.Constant)]
    return any("{}" in message or "{:" in message or "{0" in message for message in map(str, messages))


def _at_import(node: ast.AST) -> Iterator[ast.AST]:
    """What runs when the module is imported: all but the bodies of functions."""
    yield node
    if isinstance(node, Function):
        late = [node.body] if isinstance(node, ast.Lambda) else [*node.body, *_annotations(node)]
        children = [child for child in ast.iter_child_nodes(node) if child not in late]
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from _at_import(child)


def _annotations(node: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    return [] if node.returns is None else [node.returns]


def _within(scope: Scope) -> Iterator[ast.AST]:
    """The nodes of a scope of its own; functions and comprehensions inside of it have theirs."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Scope):
            waiting += ast.iter_child_nodes(node)


def _binds_underscore(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="_", ctx=ast.Store()) | ast.arg(arg="_"):
            return True
        case ast.MatchAs(name="_") | ast.MatchStar(name="_") | ast.ExceptHandler(name="_"):
            return True
    return False


def _faulty_messages(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _called(node):
            if not _takes_a_message(node):
                yield f"line {node.lineno}: no literal text"
            if _positional(node):
                yield f"line {node.lineno}: a place without a name"


def _faulty_scopes(tree: ast.Module) -> Iterator[str]:
    """Where `_` is called that may be another thing there than what is imported."""
    for scope in ast.walk(tree):
        if isinstance(scope, Scope):
            calls = any(_called(node) == "_" for node in ast.walk(scope))
            if calls and any(map(_binds_underscore, _within(scope))):
                yield f"line {getattr(scope, 'lineno', 1)}: binds _ and calls it"


def _faults(tree: ast.Module) -> Iterator[str]:
    yield from _faulty_messages(tree)
    yield from _faulty_scopes(tree)
    for call in _hidden(tree):
        yield f"line {call.lineno}: inside of an f-string"
    for node in _at_import(tree):
        if _called(node) in AT_RUN_TIME:
            yield f"line {getattr(node, 'lineno', 0)}: translated at import time"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_messages_are_marked_so_that_they_can_be_translated(path: Path) -> None:
    assert list(_faults(ast.parse(path.read_text(encoding="utf-8")))) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ('def f(n): return _(f"{n} rounds")', "no literal text"),
        ('def f(n): return _("{n} rounds".format(n=n))', "no literal text"),
        ('def f(n): return ngettext("{n} round", f"{n} rounds", n)', "no literal text"),
        ('def f(n): return pgettext(n, "open")', "no literal text"),
        ("def f(): return f\"{_('Rounds')}: 3\"", "inside of an f-string"),
        ('def f(n): return _("a" if n else "b")', "no literal text"),
        ('def f(n): return _("a" + n)', "no literal text"),
        ('def f(): return _("")', "no literal text"),
        ('def f(n): return _("{} rounds").format(n)', "a place without a name"),
        ('def f(n): return _("{0} rounds").format(n)', "a place without a name"),
        ('def f(n): return _("{:,} rounds").format(n)', "a place without a name"),
        ('TITLE = _("Rounds")', "translated at import time"),
        ('class A:\n title = ngettext("round", "rounds", 2)', "translated at import time"),
        ('def f(title=_("Rounds")): ...', "translated at import time"),
        ('@named(_("Rounds"))\ndef f(): ...', "translated at import time"),
        ('def f(n):\n for _ in n: ...\n return _("Rounds")', "binds _ and calls it"),
        ('def f(n):\n a, _ = n\n return _("Rounds")', "binds _ and calls it"),
        ('def f(_): return _("Rounds")', "binds _ and calls it"),
        ('def f(n): return [_("Rounds") for _ in n]', "binds _ and calls it"),
        ('def f(_):\n def g(): return _("Rounds")', "binds _ and calls it"),
        ('first, _ = 1, 2\ndef f(): return _("Rounds")', "binds _ and calls it"),
    ],
)
def test_a_message_that_cannot_be_translated_is_found(source: str, fault: str) -> None:
    assert [found.partition(": ")[2] for found in _faults(ast.parse(source))] == [fault]


@pytest.mark.parametrize(
    "source",
    [
        'TITLE = N_("Rounds")\ndef f(): return _(TITLE)',
        'def f(n): return _("{n:,} rounds").format(n=n)',
        "def f(names, key): return _(names[key])",
        'def f(n): return ngettext("{n} round", "{n} rounds", n).format(n=n)',
        'class A:\n def f(self): return _("Rounds")',
        'title = lambda: _("Rounds")',
        'VERB = NP_("verb", "open")\ndef f(): return pgettext("verb", VERB)',
        "def f(title): return f'{_(title)}: 3'",
        'def f(n):\n match n:\n  case _: return _("Rounds")',
        'def f(n):\n def g(_): ...\n return _("Rounds")',
        'def f(n): return _("{n} rounds").format(n=sum(1 for _ in n))',
    ],
)
def test_a_message_that_can_be_translated_is_let_pass(source: str) -> None:
    assert list(_faults(ast.parse(source))) == []
