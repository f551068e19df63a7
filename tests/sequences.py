"""What a program wrote to a terminal, taken apart: printed text, and control sequences by their kind.

The grammar is that of ECMA-48 and of xterm's strings, 7-bit and 8-bit; a C1 character counts as the control that
it is, though a UTF-8 terminal may ignore it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEQUENCE = re.compile(
    r"""
    (?:\x1b\[|\x9b)(?P<csi>[0-?]*[ -/]*[@-~])
    | (?:\x1b\]|\x9d)(?P<osc>[^\x07\x1b\x9c]*)(?:\x07|\x1b\\|\x9c)
    | (?:\x1b[PX^_]|[\x90\x98\x9e\x9f])(?P<string>[^\x1b\x9c]*)(?:\x1b\\|\x9c)
    | \x1b(?P<esc>[ -/]*[0-~])
    | (?P<control>[\x00-\x1f\x7f-\x9f])
    """,
    re.VERBOSE,
)
_PARAMETERS = re.compile(r"[\d:;]+")


class Sequence(NamedTuple):
    """One control: what kind of command it is, and all of it."""

    kind: str
    text: str


def sequences(output: str) -> Iterator[Sequence]:
    """Each control in `output`.

    A kind is a CSI's private marks, intermediates and final byte; the modes too, for a mode is a command of its
    own; the number of an OSC; all of any other string, escape or single control.
    """
    for match in _SEQUENCE.finditer(output):
        text = match[0]
        if match["csi"] is not None:
            modes = match["csi"].startswith("?") and text[-1] in "hl"
            kind = "CSI " + (match["csi"] if modes else _PARAMETERS.sub("", match["csi"]))
        elif match["osc"] is not None:
            kind = "OSC " + match["osc"].partition(";")[0]
        else:
            kind = repr(text)
        yield Sequence(kind, text)


def printed(output: str) -> str:
    """What is left of `output` without its controls."""
    return _SEQUENCE.sub("", output)
