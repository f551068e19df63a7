"""What a check found: a verdict, what it rests on, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Verdict(StrEnum):
    """How a check came out; `unknown` is what could not be looked at, and is no fault."""

    GOOD = "good"
    UNKNOWN = "unknown"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Attributes:
        check: What was looked at, in one or two English words that stay the same from version to version;
            they are translated where they are shown.
        verdict: How it came out.
        evidence: What was seen, in a sentence or a few words, in the user's language as the rest is.
        remedy: What to do, "" where nothing is to be done.
    """

    check: str
    verdict: Verdict
    evidence: str
    remedy: str = ""


def good(check: str, evidence: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.GOOD, evidence)


def unknown(check: str, evidence: str, remedy: str = "") -> Finding:
    """It could not be looked at."""
    return Finding(check, Verdict.UNKNOWN, evidence, remedy)


def warning(check: str, evidence: str, remedy: str) -> Finding:
    """It works, but not as well as it could."""
    return Finding(check, Verdict.WARNING, evidence, remedy)


def broken(check: str, evidence: str, remedy: str) -> Finding:
    """It does not work."""
    return Finding(check, Verdict.BROKEN, evidence, remedy)


def exit_code(findings: Iterable[Finding]) -> int:
    """0 where all is well, 1 with warnings, 2 where something is broken."""
    verdicts = {finding.verdict for finding in findings}
    if Verdict.BROKEN in verdicts:
        return 2
    return 1 if Verdict.WARNING in verdicts else 0
