"""What the program says, in the user's language: gettext, loaded for the languages that need it.

The source speaks English, which needs no catalogue: a start in English imports nothing here. What a function
says is marked where it is said, `_("{count} tokens").format(count=n)`; what a module holds as a constant is
marked with `N_` and translated where it is shown, for the language is known only when the settings are.
The language is the process's, as the locale is. `locale/*/LC_MESSAGES/qwentui.po` is what translators edit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from gettext import NullTranslations

ENGLISH = "en"
CHINESE = "zh_CN"

_catalogue: NullTranslations | None = None


def preferred(environ: Mapping[str, str]) -> str:
    """The language that the environment asks for: LANGUAGE, LC_ALL, LC_MESSAGES, LANG, as gettext reads them.

    Any Chinese is answered in Simplified Chinese, the only one there is; anything else in English.
    """
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return CHINESE if value.lower().split(":")[0].startswith("zh") else ENGLISH
    return ENGLISH


def speak(wanted: str, environ: Mapping[str, str]) -> None:
    """Speak as `screen.language` says; "auto" goes by the environment."""
    use(preferred(environ) if wanted == "auto" else wanted)


def use(language: str) -> None:
    """Speak `language` from here on, `ENGLISH` or `CHINESE`."""
    global _catalogue  # noqa: PLW0603 - one process speaks one language
    if language == ENGLISH:
        _catalogue = None
        return
    from gettext import translation
    from pathlib import Path

    _catalogue = translation("qwentui", Path(__file__).with_name("locale"), [language], fallback=True)


def _(message: str) -> str:
    """`message` in the user's language; "" stays, which gettext answers with the catalogue's header."""
    return _catalogue.gettext(message) if message and _catalogue is not None else message


def N_(message: str) -> str:  # noqa: N802 - gettext's usual name
    """Mark a constant for the catalogue; `_` translates it where it is shown."""
    return message


def NP_(_context: str, message: str) -> str:  # noqa: N802 - gettext's usual name
    """Mark a constant for the catalogue; `pgettext` with the same context translates it where it is shown."""
    return message


def ngettext(one: str, many: str, count: int) -> str:
    """The form for `count` things, in the user's language."""
    if _catalogue is None:
        return one if count == 1 else many
    return _catalogue.ngettext(one, many, count)


def pgettext(context: str, message: str) -> str:
    """`message` in the user's language, where one English word has several meanings."""
    return message if _catalogue is None else _catalogue.pgettext(context, message)
