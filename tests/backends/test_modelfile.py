from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_gguf import write_gguf

from qwentui.backends.model_plan import PARAMETERS, ModelPlan, check_name, check_quantization, plan_of
from qwentui.backends.modelfile import COMMANDS, Command, parse_modelfile, read_modelfile
from qwentui.chat.errors import ModelFileError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

EXAMPLE = Path(__file__).parents[2] / "examples" / "Modelfile"


def plan(text: str, folder: Path = Path("/nowhere")) -> ModelPlan:
    return plan_of(parse_modelfile(text), folder)


def read_or_refused(work: Callable[[], T]) -> T | str:
    """What `work` gives, or the sentence with which it refuses."""
    try:
        return work()
    except ModelFileError as error:
        return str(error)


def test_commands_comments_and_text_of_several_lines() -> None:
    text = (
        "# a comment\n"
        "from  qwen3 \r\n"
        "\n"
        'SYSTEM """You are terse.\n'
        "# no comment, but text\n"
        '"quoted" """\n'
        'parameter stop "<|im_end|>"\n'
        "  PARAMETER num_ctx 8192\n"
        "MESSAGE User hello there\n"
        'LICENSE "MIT\nand so on"\n'
    )
    assert parse_modelfile(text) == (
        Command(2, "FROM", "", "qwen3"),
        Command(4, "SYSTEM", "", 'You are terse.\n# no comment, but text\n"quoted" '),
        Command(7, "PARAMETER", "stop", "<|im_end|>"),
        Command(8, "PARAMETER", "num_ctx", "8192"),
        Command(9, "MESSAGE", "user", "hello there"),
        Command(10, "LICENSE", "", "MIT\nand so on"),
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names no model"),
        ("SYSTEM x", "names no model"),
        ("FROM x\nFORM y", r"line 2: 'FORM' is no command. Is FROM meant\?"),
        ("FROM x\nhello", "line 2: 'hello' is no command. The commands are FROM"),
        ("FROM", "line 1: FROM has no value"),
        ("FROM x\nPARAMETER num_ctx", "line 2: PARAMETER has no value"),
        ("FROM x\nMESSAGE bot hi", "line 2: 'bot' is no role"),
        ('FROM x\nSYSTEM """a\nb\nc', "line 2: the quotation is never closed"),
        ("FROM x\n\x1b[31m y", "is no command"),
    ],
)
def test_a_line_that_is_no_command_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ModelFileError, match=sentence) as caught:
        parse_modelfile(text)
    assert "\x1b" not in str(caught.value)


@given(st.text())
def test_whatever_stands_in_a_file_is_read_or_refused_in_one_sentence(text: str) -> None:
    commands = read_or_refused(lambda: parse_modelfile(text))
    if isinstance(commands, str):
        assert "\n" not in commands
    else:
        assert all(command.name in COMMANDS and command.line >= 1 for command in commands)


@given(st.text(alphabet=st.characters(exclude_characters='"\r', exclude_categories=["Cs"])))
def test_text_between_three_quotation_marks_comes_back_as_it_was(text: str) -> None:
    [_, command] = parse_modelfile(f'FROM x\nSYSTEM """{text}"""')
    assert command.value == text


def test_files_in_other_encodings(tmp_path: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        path = tmp_path / encoding
        path.write_bytes("FROM x\nSYSTEM 你好\n".encode(encoding))
        assert read_modelfile(path)[1].value == "你好"


def test_a_gguf_file_is_no_modelfile(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"is no Modelfile.*--from"):
        read_modelfile(write_gguf(tmp_path / "tiny.gguf"))
    with pytest.raises(ModelFileError, match="There is no file"):
        read_modelfile(tmp_path / "none")


def test_the_example_is_right(tmp_path: Path) -> None:
    write_gguf(tmp_path / "Qwen3-32B-Q4_K_M.gguf")
    made = plan_of(read_modelfile(EXAMPLE), tmp_path)
    assert made.remarks == []
    assert made.files == [tmp_path / "Qwen3-32B-Q4_K_M.gguf"]
    assert made.parameters == {"num_ctx": 8192, "temperature": 0.6, "top_k": 20, "top_p": 0.95}


def test_the_recipe_is_told_line_by_line(tmp_path: Path) -> None:
    write_gguf(tmp_path / "Qwen3-32B-Q4_K_M.gguf")
    made = plan(
        "FROM ./Qwen3-32B-Q4_K_M.gguf\n"
        "PARAMETER num_ctx 8192\n"
        "PARAMETER num_gqa 8\n"
        'PARAMETER stop "【|<|>"\n'
        "PARAMETER mirostat 1\n",
        tmp_path,
    )
    assert made.parameters == {"num_ctx": 8192}
    assert [(remark.line, remark.text.split()[0]) for remark in made.remarks] == [
        (3, "num_gqa"),
        (4, "stop"),
        (5, "mirostat"),
    ]
    assert "read from the GGUF" in made.remarks[0].text
    assert "no pattern" in made.remarks[1].text


def test_stops_that_are_tokens_stay() -> None:
    made = plan('FROM qwen3\nPARAMETER stop "<|im_end|>"\nPARAMETER stop <|im_start|>\nPARAMETER stop ###')
    assert made.parameters == {"stop": ["<|im_end|>", "<|im_start|>", "###"]}
    assert made.remarks == []
    assert made.base == "qwen3"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("PARAMETER num_ctxx 8192", r"Line 2: there is no parameter 'num_ctxx'. Is num_ctx meant\?"),
        ("PARAMETER zzz 1", "no parameter 'zzz'. Remove the line"),
        ("PARAMETER num_ctx 8k", "num_ctx wants a whole number, not '8k'"),
        ("PARAMETER temperature nan", "temperature wants a number"),
        ("PARAMETER use_mmap maybe", "use_mmap wants true or false"),
        ("TEMPLATE {% for m in messages %}", "holds a Jinja template"),
        ("ADAPTER ./lora.gguf", "no file /nowhere/lora.gguf"),
        ("FROM ./none.gguf", "no file /nowhere/none.gguf"),
        ("FROM model.GGUF", "no file /nowhere/model.GGUF"),
        ("FROM /", "is a folder"),
        ("REQUIRES soon", "wants a version"),
        ("DRAFT x", "sends no DRAFT"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(line: str, sentence: str) -> None:
    with pytest.raises(ModelFileError, match=sentence):
        plan(f"FROM qwen3\n{line}")


def test_the_request_holds_what_the_lines_say(tmp_path: Path) -> None:
    gguf, lora = write_gguf(tmp_path / "a.gguf"), write_gguf(tmp_path / "lora.gguf")
    made = plan(
        "FROM ./a.gguf\nADAPTER lora.gguf\nSYSTEM be brief\nTEMPLATE {{ .Prompt }}\nLICENSE MIT\nLICENSE BSD\n"
        "MESSAGE user hi\nMESSAGE assistant ho\nREQUIRES v0.14.0\nRENDERER qwen3\nPARAMETER use_mmap false",
        tmp_path,
    )
    assert made.request("x", {gguf: "1", lora: "2"}) == {
        "model": "x",
        "files": {"a.gguf": "sha256:1"},
        "adapters": {"lora.gguf": "sha256:2"},
        "system": "be brief",
        "template": "{{ .Prompt }}",
        "license": ["MIT", "BSD"],
        "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}],
        "requires": "0.14.0",
        "renderer": "qwen3",
        "parameters": {"use_mmap": False},
    }
    assert "cut silently" in made.remarks[0].text


def test_two_files_of_one_name_and_a_file_beside_a_model(tmp_path: Path) -> None:
    write_gguf(tmp_path / "a.gguf")
    (tmp_path / "b").mkdir()
    write_gguf(tmp_path / "b" / "a.gguf")
    with pytest.raises(ModelFileError, match="one name"):
        plan("FROM a.gguf\nFROM b/a.gguf", tmp_path)
    with pytest.raises(ModelFileError, match="Keep one"):
        plan("FROM a.gguf\nFROM qwen3", tmp_path)


@given(st.sampled_from(sorted(PARAMETERS)), st.text(max_size=12))
def test_a_parameter_is_taken_with_its_type_or_refused(name: str, text: str) -> None:
    commands = (Command(1, "FROM", "", "x"), Command(2, "PARAMETER", name, text))
    made = read_or_refused(lambda: plan_of(commands, Path("/nowhere")))
    if isinstance(made, str):
        assert "Line 2" in made
    else:
        kind = list if name == "stop" else PARAMETERS[name]
        assert all(isinstance(value, kind) for value in made.parameters.values())


def test_only_whole_numbers_are_quantized() -> None:
    made = ModelPlan(fields={"quantize": "q4_K_M"})
    for whole in ("F16", "BF16", "F32", ""):
        check_quantization(made, whole)
    check_quantization(ModelPlan(), "Q4_K_M")
    with pytest.raises(ModelFileError, match="is Q4_K_M already"):
        check_quantization(made, "Q4_K_M")


@pytest.mark.parametrize(
    "name", ["qwen3", "qwen3:32b", "me/qwen3-local_2", "hf.co/a-b/c.d:Q4_K_M", "h:5000/a/b"]
)
def test_names_of_models(name: str) -> None:
    check_name(name)


@pytest.mark.parametrize(
    "name", ["", "!!", "a b", "a:b:c", "/a", "a/", "-a", "你好", "a" * 81, "a\n", "../a/b/c/d"]
)
def test_names_that_no_server_takes(name: str) -> None:
    with pytest.raises(ModelFileError, match="cannot be a model's name"):
        check_name(name)
