"""What a model is to be made of: commands of a Modelfile judged, and made into the body of `/api/create`.

Ollama's server does not look at the names of parameters: what it does not know it stores, and ignores with a
line in its log. So they are judged here, by `api/types.go` (`Options`), and so are the lines which were right
in 2023, or never.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from qwentui.chat.errors import ModelFileError
from qwentui.chat.sanitize import sanitize_line
from qwentui.language import N_, _

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qwentui.backends.modelfile import Command

PARAMETERS: dict[str, type] = {
    "num_ctx": int,
    "num_keep": int,
    "num_predict": int,
    "seed": int,
    "top_k": int,
    "top_p": float,
    "min_p": float,
    "typical_p": float,
    "temperature": float,
    "repeat_last_n": int,
    "repeat_penalty": float,
    "presence_penalty": float,
    "frequency_penalty": float,
    "stop": str,
    "num_batch": int,
    "num_gpu": int,
    "main_gpu": int,
    "use_mmap": bool,
    "num_thread": int,
    "draft_num_predict": int,
}
"""Every parameter, with the type of its value."""

_READ = N_("{name} is no parameter any more: it is read from the GGUF. It is left out.")
_GONE = {
    "num_gqa": N_(
        "{name} is no parameter any more: the heads of the KV cache are read from the GGUF, and"
        " `ollama create` refuses this line. It is left out."
    ),
    "rope_frequency_base": _READ,
    "rope_frequency_scale": _READ,
    "embedding_only": N_(
        "{name} is no parameter any more: the GGUF says what the model is for. It is left out."
    ),
    "tfs_z": N_("{name} is no parameter any more: this sampler was taken out of llama.cpp. It is left out."),
    "numa": N_("{name} is no parameter any more: the server decides. It is left out."),
} | dict.fromkeys(
    (
        "penalize_newline",
        "low_vram",
        "f16_kv",
        "logits_all",
        "vocab_only",
        "use_mlock",
        "mirostat",
        "mirostat_tau",
        "mirostat_eta",
    ),
    N_("{name} is no parameter any more: the server ignores it. It is left out."),
)
"""What was a parameter once, and why it is none today, in a sentence (`parser.go deprecatedParameters`)."""

_WHOLE = ("F16", "BF16", "F32")  # what the server quantizes; a quantized model it refuses, after the upload

_TOKEN = re.compile(r"<\|[^|<>\s]+\|>|<｜[^｜<>]+｜>")
_NAME = re.compile(r"(?:(?:\w[\w.:-]{0,349}/)?\w[\w-]{0,79}/)?\w[\w.-]{0,79}(?::\w[\w.-]{0,79})?", re.ASCII)
_BOOLS = {"true": True, "1": True, "t": True, "false": False, "0": False, "f": False}


class Remark(NamedTuple):
    """What is to be said about a line; `line` 0 for no line at all."""

    line: int
    text: str


@dataclass(slots=True)
class ModelPlan:
    """A model to be made.

    Attributes:
        files: GGUF files to send.
        base: A model that the server has, in place of files; or "".
        adapters: LoRA files to send.
        fields: What else the request holds, under the names of `/api/create`.
        remarks: What is to be told about it.
    """

    files: list[Path] = field(default_factory=list)
    base: str = ""
    adapters: list[Path] = field(default_factory=list)
    fields: dict[str, object] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters, to be read or changed."""
        found = self.fields.setdefault("parameters", {})
        return found if isinstance(found, dict) else {}

    def request(self, name: str, digests: dict[Path, str]) -> dict[str, object]:
        """The body of `/api/create`.

        Args:
            name: The new model's name.
            digests: The SHA-256 of each file, 64 hexadecimal digits.
        """
        body: dict[str, object] = {"model": name}
        if self.base:
            body["from"] = self.base
        for key, paths in (("files", self.files), ("adapters", self.adapters)):
            if paths:
                body[key] = {path.name: f"sha256:{digests[path]}" for path in paths}
        return body | {key: value for key, value in self.fields.items() if value not in ({}, "")}


def check_name(name: str) -> None:
    """See that a model may be called so (Ollama, `types/model/name.go`), before much is sent in vain.

    Raises:
        ModelFileError: It may not.
    """
    if not _NAME.fullmatch(name):
        raise ModelFileError(
            _("{name!r} cannot be a model's name.").format(name=sanitize_line(name, 60)),
            _("Letters, digits and _ . - make a name, with a tag behind a colon: qwen3-local:32b."),
        )


def check_quantization(plan: ModelPlan, quantization: str) -> None:
    """See that the server can quantize the file, if it is to.

    Args:
        plan: What was asked for.
        quantization: What the file's header says that it is, "" for nothing.

    Raises:
        ModelFileError: The file is quantized already.
    """
    wanted = plan.fields.get("quantize")
    if wanted and quantization and quantization not in _WHOLE:
        raise ModelFileError(
            _("The file is {quantization} already, and only F16, BF16 and F32 can be quantized.").format(
                quantization=quantization
            ),
            _("Leave --quantize out, or get the model in F16."),
        )


def is_no_pattern(stop: str) -> bool:
    """Whether a stop text looks like alternatives, which Ollama does not know: it compares letters."""
    return "|" in _TOKEN.sub("", stop)


def plan_of(commands: Sequence[Command], folder: Path) -> ModelPlan:
    """Judge the commands of a Modelfile.

    Args:
        commands: The commands.
        folder: Where relative paths begin: the Modelfile's own.

    Raises:
        ModelFileError: A line cannot be what was meant; the sentence names it.
    """
    plan = ModelPlan()
    for command in commands:
        _TAKERS.get(command.name, _take_text)(plan, command, folder)
    for paths in (plan.files, plan.adapters):
        if len({path.name for path in paths}) < len(paths):
            raise ModelFileError(
                _("Two files of the Modelfile have one name."), _("Rename one, or remove the line.")
            )
    if plan.files and plan.base:
        raise ModelFileError(
            _("The Modelfile names a file and the model {model!r} after FROM.").format(
                model=sanitize_line(plan.base)
            ),
            _("Keep one."),
        )
    return plan


def _take_from(plan: ModelPlan, command: Command, folder: Path) -> None:
    path = _path(command.value, folder)
    if path.is_file():
        plan.files.append(path)
    elif path.is_dir():
        raise ModelFileError(
            _("Line {line}: {path} is a folder.").format(line=command.line, path=sanitize_line(str(path))),
            _("Name the GGUF file in it; Safetensors are for `ollama create`."),
        )
    elif command.value.startswith((".", "/", "~")) or command.value.lower().endswith(".gguf"):
        raise _no_file(command, path, _("The path counts from the Modelfile's folder, on this machine."))
    else:
        plan.base = command.value


def _take_adapter(plan: ModelPlan, command: Command, folder: Path) -> None:
    path = _path(command.value, folder)
    if not path.is_file():
        raise _no_file(command, path, _("ADAPTER wants a LoRA in a GGUF file."))
    plan.adapters.append(path)


def _no_file(command: Command, path: Path, hint: str) -> ModelFileError:
    sentence = _("Line {line}: there is no file {path}.")
    return ModelFileError(sentence.format(line=command.line, path=sanitize_line(str(path))), hint)


def _path(text: str, folder: Path) -> Path:
    try:
        return folder / Path(text).expanduser()
    except RuntimeError:
        return folder / text


def _take_parameter(plan: ModelPlan, command: Command, _folder: Path) -> None:
    name = command.key
    if name in _GONE:
        plan.remarks.append(Remark(command.line, _(_GONE[name]).format(name=name)))
        return
    kind = PARAMETERS.get(name)
    if kind is None:
        near = get_close_matches(name, PARAMETERS, 1)
        hint = _("Remove the line: the server would ignore it silently.")
        if near:
            hint = _("Is {name} meant?").format(name=near[0])
        sentence = _("Line {line}: there is no parameter {name!r}.")
        raise ModelFileError(sentence.format(line=command.line, name=sanitize_line(name)), hint)
    if kind is str:
        _take_stop(plan, command)
    else:
        plan.parameters[name] = _converted(command, kind)


def _converted(command: Command, kind: type) -> object:
    text = command.value.strip()
    value = _read(text, kind)
    if value is None or not isfinite(value):
        sentence = _(_WANTED[kind]).format(line=command.line, name=command.key, value=sanitize_line(text, 60))
        raise ModelFileError(sentence, _("Correct the line."))
    return value


_WANTED = {
    int: N_("Line {line}: {name} wants a whole number, not {value!r}."),
    float: N_("Line {line}: {name} wants a number, not {value!r}."),
    bool: N_("Line {line}: {name} wants true or false, not {value!r}."),
}


def _read(text: str, kind: type) -> float | bool | None:
    if kind is bool:
        return _BOOLS.get(text.lower())
    try:
        return int(text) if kind is int else float(text)
    except ValueError:
        return None


def _take_stop(plan: ModelPlan, command: Command) -> None:
    shown = sanitize_line(command.value, 60)
    if is_no_pattern(command.value):
        plan.remarks.append(
            Remark(
                command.line,
                _(
                    "stop {value!r} is left out: it is no pattern, so an answer would end at exactly this"
                    " text and at none of its parts. The model's own end-of-turn token ends an answer."
                ).format(value=shown),
            )
        )
        return
    stops = plan.parameters.setdefault("stop", [])
    if isinstance(stops, list):
        stops.append(command.value)


def _take_template(plan: ModelPlan, command: Command, _folder: Path) -> None:
    if "{%" in command.value:
        raise ModelFileError(
            _("Line {line}: TEMPLATE holds a Jinja template, but Ollama's own are Go templates.").format(
                line=command.line
            ),
            _("Leave TEMPLATE out: a GGUF brings its Jinja template with it."),
        )
    plan.fields["template"] = command.value
    plan.remarks.append(
        Remark(
            command.line,
            _(
                "TEMPLATE puts a template of your own in the place of the GGUF's. Prompts that are too long"
                " are then cut silently by the server, and tools and thinking work only if the template has"
                " them."
            ),
        )
    )


def _take_message(plan: ModelPlan, command: Command, _folder: Path) -> None:
    messages = plan.fields.setdefault("messages", [])
    if isinstance(messages, list):
        messages.append({"role": command.key, "content": command.value})


def _take_license(plan: ModelPlan, command: Command, _folder: Path) -> None:
    licenses = plan.fields.setdefault("license", [])
    if isinstance(licenses, list):
        licenses.append(command.value)


def _take_draft(_plan: ModelPlan, command: Command, _folder: Path) -> None:
    sentence = _("Line {line}: qwentui sends no DRAFT model.").format(line=command.line)
    raise ModelFileError(sentence, _("Use `ollama create` for that."))


def _take_requires(plan: ModelPlan, command: Command, _folder: Path) -> None:
    version = command.value.strip().removeprefix("v")
    if not re.fullmatch(r"\d+(\.\d+){0,2}([-+][0-9A-Za-z.+-]+)?", version):
        raise ModelFileError(
            _("Line {line}: REQUIRES wants a version of Ollama, not {value!r}.").format(
                line=command.line, value=sanitize_line(version, 60)
            ),
            _('Write it like "0.14.0".'),
        )
    plan.fields["requires"] = version


def _take_text(plan: ModelPlan, command: Command, _folder: Path) -> None:
    plan.fields[command.name.lower()] = command.value


_TAKERS = {
    "FROM": _take_from,
    "ADAPTER": _take_adapter,
    "PARAMETER": _take_parameter,
    "TEMPLATE": _take_template,
    "MESSAGE": _take_message,
    "LICENSE": _take_license,
    "DRAFT": _take_draft,
    "REQUIRES": _take_requires,
}
