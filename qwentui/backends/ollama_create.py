"""Making a model: its files hashed, sent where the server lacks them, and joined under a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qwentui.backends.ollama_models import Step
from qwentui.chat.errors import ModelFileError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import _

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from qwentui.backends.file_digest import DigestCache
    from qwentui.backends.model_plan import ModelPlan
    from qwentui.backends.ollama_models import OllamaModels


async def create_model(
    models: OllamaModels,
    name: str,
    plan: ModelPlan,
    digests: DigestCache,
    report: Callable[[Step], None],
) -> None:
    """Make the model `name` by `plan`.

    What was done before it is cancelled need not be done again: digests are kept here, files on the server.

    Args:
        models: The server.
        name: The new model's name; one that the server has takes the new content.
        plan: What it is made of.
        digests: Knows files that have not changed.
        report: Is told each step.

    Raises:
        ModelFileError: A file cannot be read, or has changed meanwhile.
        BackendError: The server refuses, or the connection broke again and again.
    """
    found: dict[Path, str] = {}
    for path in (*plan.files, *plan.adapters):
        reading = _("reading {file}").format(file=sanitize_line(path.name, 60))

        def progress(done: int, total: int, reading: str = reading) -> None:
            report(Step(reading, done, total))

        found[path] = await digests.obtain(path, progress)
        try:
            await models.upload(path, found[path], report)
        except ModelFileError:
            digests.forget(path)
            raise
    await models.create(plan.request(name, found), report)
