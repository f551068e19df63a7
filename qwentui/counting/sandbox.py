"""Jinja for templates that come from a stranger's model file.

jinja2's own sandbox keeps a template away from Python's insides, but not from its time and memory: two
nested loops or a string that doubles forty times are enough to hang a program. The environment here adds
bounds: a template has two seconds of processor time, its loops and macros look at that clock, whatever can
grow (`~`, `+`, literals, filters, calls) is measured before or as it is made, and only those methods and
filters exist that chat templates use and llama.cpp offers them.
"""

from __future__ import annotations

import json
import time
from collections.abc import ItemsView, Iterable, Iterator, KeysView, ValuesView
from functools import wraps
from typing import TYPE_CHECKING, Any

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import loopcontrols
from jinja2.runtime import LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace
from jinja2.visitor import NodeTransformer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from jinja2 import Template
    from jinja2.runtime import Context

_SECONDS = 2.0
_SOURCE = 64 * 1024
_TEXT = 32 * 1024 * 1024
_TEXT_PER_INPUT = 64
_VALUES = 100_000

_OFFERED = {
    str: "capitalize count endswith find index isalnum isalpha isdecimal isdigit islower isnumeric isspace"
    " istitle isupper join lower lstrip partition replace rfind rindex rpartition rsplit rstrip split"
    " splitlines startswith strip swapcase title upper",
    dict: "get items keys values",
    list: "count index",
    tuple: "count index",
    LoopContext: "cycle depth depth0 first index index0 last length nextitem previtem revindex revindex0",
    Macro: "name",
}
_ATTRIBUTES: dict[type, frozenset[str]] = {kind: frozenset(names.split()) for kind, names in _OFFERED.items()}
_FILTERS = (
    "abs bool capitalize count d default dictsort e escape first float int items join last length list lower"
    " map max min reject rejectattr replace reverse safe select selectattr sort string sum title"
    " unique upper"
)
_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "**", "%"})
_WIDEST = 1 << 62
_STRIPPED = " \t\n\v\f\r"
"""llama.cpp strips by C's `isspace`: ideographic and no-break spaces stay."""


class TemplateLimitError(TemplateError):
    """A template wanted more time, text or values than it gets."""


class _Bounds(NodeTransformer):
    """Rewrites a template's syntax tree so that what can run long or grow passes by the environment."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        if node.recursive:
            raise SecurityError("recursive loops are not offered")
        text = sum(len(data.data) for data in node.find_all(nodes.TemplateData))
        node.body.insert(0, nodes.ExprStmt(_hook("turned", nodes.Const(text))))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        return _hook("concatenated", *node.nodes)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        if all(isinstance(item, nodes.Const) for item in node.items):
            return node
        return _hook("measured", node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        return _hook("measured", node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        return node if node.ctx != "load" else _hook("measured", node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - the visitor's naming
        self.generic_visit(node)
        return _hook("measured", node) if isinstance(node.arg, nodes.Slice) else node


def _hook(name: str, *args: nodes.Expr) -> nodes.Call:
    return nodes.Call(nodes.EnvironmentAttribute(name), list(args), [], None, None)


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """The environment that llama.cpp gives to chat templates, with bounds.

    `now` is the clock behind `strftime_now`. An environment serves one rendering at a time.
    """

    intercepted_binops = _ARITHMETIC

    def __init__(self, now: Callable[[], datetime]) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[loopcontrols],
            finalize=self.emitted,
            optimized=False,
        )
        self._deadline = 0.0
        self._text = 0
        self._static = 0
        kept = {name: self.filters[name] for name in _FILTERS.split() if name in self.filters}
        self.filters.clear()
        self.filters.update({name: self._bounded_filter(name, kept[name]) for name in kept})
        self.filters["trim"] = self._trimmed
        self.filters["tojson"] = self._to_json
        self.globals = {
            "namespace": Namespace,
            "range": self.globals["range"],
            "raise_exception": _raise_exception,
            "strftime_now": lambda pattern: now().strftime(str(pattern)[:256]),
        }

    def compiled(self, source: str) -> Template:
        """The template of `source`, rewritten to keep the bounds.

        Raises:
            TemplateError: The source is too long, is no Jinja, or uses what is not offered.
        """
        if len(source) > _SOURCE:
            raise TemplateLimitError("the template is too long")
        tree = _Bounds().visit(self.parse(source))
        self._static = sum(len(data.data) for data in tree.find_all(nodes.TemplateData))
        return self.from_string(tree)

    def rendered(self, template: Template, variables: Mapping[str, object]) -> str:
        """What `template`, compiled here, makes of `variables`.

        Raises:
            TemplateError: The template refused its input, or went beyond its bounds.
        """
        self._deadline = time.thread_time() + _SECONDS
        self._text = _TEXT + _TEXT_PER_INPUT * _weight(dict(variables))
        return template.render(variables)

    def turned(self, text: int) -> None:
        """Another turn of a loop or call of a macro, with `text` characters in its body."""
        if time.thread_time() > self._deadline:
            raise TemplateLimitError("the template takes too long")
        self.spend(text)

    def spend(self, text: int) -> None:
        """Take `text` characters from what is left."""
        self._text -= text
        if self._text < 0:
            raise TemplateLimitError("the template makes too much text")

    def emitted(self, value: object) -> object:
        """Jinja's `finalize`: what stands between double braces, on its way out."""
        self.spend(len(_scalar(value)))
        return value

    def concatenated(self, *values: object) -> str:
        """The operator `~`."""
        texts = [_scalar(value) for value in values]
        self.spend(sum(map(len, texts)))
        return "".join(texts)

    def measured(self, value: object) -> object:
        """`value`, if it is of a bearable size with everything in it; iterators become lists."""
        if isinstance(value, str):
            self.spend(len(value))
            return value
        if isinstance(value, Iterator | KeysView | ItemsView | ValuesView):
            value = list(value)
        if isinstance(value, list | tuple | dict):
            self.spend(_weight(value))
        return value

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """Arithmetic on numbers; `+` joins strings and lists too."""
        if isinstance(left, int | float) and isinstance(right, int | float):
            if operator == "**" or abs(left) > _WIDEST or abs(right) > _WIDEST:
                raise TemplateLimitError("numbers this large are not offered")
        elif operator != "+":
            raise SecurityError(f"{operator} is for numbers only")
        elif isinstance(left, str) and isinstance(right, str):
            self.spend(len(left) + len(right))
        else:
            return self.measured(super().call_binop(context, operator, left, right))
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:  # noqa: ARG002 - jinja2's signature
        """The methods that chat templates use, and none that makes much of little."""
        if type(obj) is Namespace:
            return not attr.startswith("_")
        return attr in _ATTRIBUTES.get(type(obj), ())

    def wrap_str_format(self, value: object) -> Callable[..., str] | None:
        """No `str.format`: its widths are unbounded."""
        if super().wrap_str_format(value) is not None:
            raise SecurityError("str.format is not offered")
        return None

    def call(
        self, context: Context, obj: Callable[..., object], /, *args: object, **kwargs: object
    ) -> object:
        """Every call that a template makes."""
        owner = getattr(obj, "__self__", None)
        if owner is self:
            return obj(*args)
        if isinstance(owner, str):
            self._before(obj.__name__, owner, args)
            if obj.__name__.endswith("strip"):
                args = args or (_STRIPPED,)
        else:
            self.turned(self._static)
        return self.measured(super().call(context, obj, *args, **kwargs))

    def _before(self, name: str, text: str, args: tuple[object, ...]) -> None:
        """Measure what `replace` and `join` are about to make of `text`."""
        if name == "replace" and len(args) > 1:
            self.spend(len(text) + text.count(str(args[0])) * len(str(args[1])))
        elif name == "join" and args:
            parts = _listed(args[0])
            self.spend(_weight(parts) + len(text) * len(parts))

    def _bounded_filter(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        leading = 1 if hasattr(function, "jinja_pass_arg") else 0

        @wraps(function)
        def bounded(*args: object, **kwargs: object) -> object:
            value, *rest = args[leading:]
            if name == "join":
                value = parts = _listed(value)
                self.spend(_weight(parts) + len(parts) * len(_scalar([*rest, *kwargs.values(), ""][0])))
            elif name == "replace":
                self._before("replace", _scalar(value), (*rest, *kwargs.values()))
            elif name == "string":
                _scalar(value)
            return self.measured(function(*args[:leading], value, *rest, **kwargs))

        return bounded

    def _trimmed(self, value: object, chars: str = _STRIPPED) -> object:
        return self.measured(_scalar(value).strip(chars))

    def _to_json(
        self,
        value: object,
        indent: int | None = None,
        separators: tuple[str, str] | None = None,
        *,
        sort_keys: bool = False,
        ensure_ascii: bool = False,
    ) -> str:
        """llama.cpp's `tojson`: no escapes for HTML, letters beyond ASCII as they are."""
        self.measured(value)
        width = None if indent is None else min(indent, 16)
        return json.dumps(
            value, indent=width, separators=separators, sort_keys=sort_keys, ensure_ascii=ensure_ascii
        )


def _listed(value: object) -> list[object]:
    return list(value) if isinstance(value, Iterable) else []


def _raise_exception(message: object) -> None:
    raise TemplateError(str(message))


def _scalar(value: object) -> str:
    """`value` as text; what holds other values has no business in a prompt, and may be without end."""
    if value is None or isinstance(value, str | int | float | Undefined):
        return str(value)
    raise SecurityError("only text and numbers may stand in a prompt")


def _weight(value: object) -> int:
    """Characters and values in `value`, counted through everything that it holds."""
    weight = 0
    waiting = [value]
    seen = 0
    while waiting:
        item = waiting.pop()
        seen += 1
        if isinstance(item, str):
            weight += len(item)
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            waiting += item
        if seen + len(waiting) > _VALUES:
            raise TemplateLimitError("lists this large are not offered")
    return weight + seen
