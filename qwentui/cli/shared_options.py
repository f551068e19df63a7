"""The options that several commands take: which model, which server, which files."""

from __future__ import annotations

from qwentui.cli.speaking import option
from qwentui.language import N_

with_model = option("-m", "--model", metavar="NAME", help=N_("Model, or the beginning of its name."))

with_host = option("--host", metavar="ADDRESS", help=N_("Server, by the rules of OLLAMA_HOST."))

with_embedded = option(
    "--embedded", metavar="[FILE.gguf]", help=N_("Use the built-in model, or any GGUF file.")
)

with_persona = option(
    "--persona", metavar="NAME", help=N_("Who the model is to be; see: qwentui persona list")
)

with_files = option(
    "--file",
    "files",
    metavar="PATH",
    multiple=True,
    help=N_("Send a text file or an image along; may be given again. An @ in the prompt stays text here."),
)
