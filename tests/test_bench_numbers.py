"""The rules behind a bench: what its numbers are, when two sets of runs differ, what is kept and drawn."""

from __future__ import annotations

import math
import random
from statistics import fmean, median
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qwentui.bench.comparison import comparison, earlier
from qwentui.bench.figures import at_once, figures
from qwentui.bench.filler import Filler, talk
from qwentui.bench.layout import csv_text, markdown_text, terminal_text
from qwentui.bench.plan import Plan
from qwentui.bench.plot import bars, sparkline, svg
from qwentui.bench.report import Report, Table, comparison_report, report, spread
from qwentui.bench.results import Results
from qwentui.bench.run import Peak, Result, Run, Step, Surroundings
from qwentui.bench.statistics import Verdict, compare, histogram, jump, summary
from qwentui.chat.errors import SettingsError

if TYPE_CHECKING:
    from pathlib import Path

DURATIONS = st.floats(min_value=1e-4, max_value=1e4)
SETS = st.lists(DURATIONS, min_size=1, max_size=30)


def result(id_: str = "20260101-000000", *runs: Run, **fields: object) -> Result:
    known: dict[str, object] = {"plan": Plan(model="qwen3:32b"), "started_at": f"2026-{id_}"}
    return Result(id=id_, runs=runs, **(known | fields))  # type: ignore[arg-type]


def warm(*ttfts: float) -> tuple[Run, ...]:
    return tuple(
        Run(step=Step.WARM, number=n, ttft=ttft, elapsed=ttft + 2, eval_count=101, eval_duration=2.0)
        for n, ttft in enumerate(ttfts, 1)
    )


def talks(target: int, *spans: tuple[float, float]) -> tuple[Run, ...]:
    return tuple(
        Run(step=Step.PARALLEL, number=1, target=target, ttft=first, elapsed=end, eval_count=100)
        for first, end in spans
    )


@given(SETS)
def test_a_summary_lies_inside_its_values(values: list[float]) -> None:
    found = summary(values)
    assert found is not None
    assert found.least <= found.p50 <= found.p95 * (1 + 1e-12)
    assert found.p95 <= found.most * (1 + 1e-12)
    assert found.count == len(values)
    assert found.mean == fmean(values)
    assert found.p50 == median(values)


def test_percentiles_of_a_known_set() -> None:
    found = summary([float(n) for n in range(1, 102)])
    assert found is not None
    assert (found.p50, found.p95) == (51.0, 96.0)
    assert summary([]) is None


@given(SETS, SETS)
def test_a_comparison_is_the_same_from_both_sides(before: list[float], after: list[float]) -> None:
    there, back = compare([(before, after)]), compare([(after, before)])
    assert there is not None
    assert back is not None
    assert there.ratio * back.ratio == pytest.approx(1.0)
    assert there.verdict is back.verdict
    if there.low is not None and there.high is not None and back.low is not None:
        assert there.low <= there.ratio * (1 + 1e-9)
        assert there.ratio <= there.high * (1 + 1e-9)
        assert back.low * there.high == pytest.approx(1.0)


@given(SETS, st.floats(min_value=0.01, max_value=100))
def test_a_machine_that_is_so_much_slower_is_found_to_be(values: list[float], factor: float) -> None:
    found = compare([(values, [value * factor for value in values])])
    assert found is not None
    same = compare([(values, values)])
    assert same is not None
    assert same.verdict is not Verdict.CHANGED
    assert found.ratio == pytest.approx(factor * same.ratio)


def test_noise_is_told_from_a_change_as_often_as_promised() -> None:
    """Of 300 pairs of benches of one machine, 1 % may seem changed; of a machine 10 % slower, most must."""
    draw = random.Random(8)

    def bench(slower: float) -> list[float]:
        return [slower * draw.lognormvariate(math.log(1.8), 0.1) for _ in range(40)]

    alike = sum(_verdict(bench(1.0), bench(1.0)) is Verdict.CHANGED for _ in range(300))
    slower = sum(_verdict(bench(1.0), bench(1.1)) is Verdict.CHANGED for _ in range(300))
    assert alike <= 9
    assert slower >= 270


def _verdict(before: list[float], after: list[float]) -> Verdict:
    found = compare([(before, after)])
    assert found is not None
    return found.verdict


def test_few_runs_tell_nothing_but_few_under_many_conditions_do() -> None:
    assert _verdict([1.0] * 5, [2.0] * 5) is Verdict.UNKNOWN
    assert _verdict([1.0] * 6, [2.0] * 6) is Verdict.CHANGED
    lengths = [([float(n), n + 0.1, n + 0.2], [n * 1.5, n * 1.5 + 0.1, n * 1.5 + 0.2]) for n in range(1, 6)]
    found = compare(lengths)
    assert found is not None
    assert found.verdict is Verdict.CHANGED
    assert compare([([], [1.0])]) is None


@pytest.mark.parametrize(
    ("seconds", "place"),
    [
        ([0.1, 0.2, 0.4, 0.8], None),
        ([0.1, 0.2, 0.4, 2.0], 3),
        ([0.1, 0.2, 1.4, 2.0], 2),
        ([0.1], None),
        ([], None),
        ([0.3, 0.2, 0.1, 0.1], None),
    ],
)
def test_where_the_first_token_jumps(seconds: list[float], place: int | None) -> None:
    assert jump(list(zip([512, 1024, 2048, 4096], seconds, strict=False))) == place


@given(st.lists(DURATIONS, max_size=50), st.integers(1, 30))
def test_a_histogram_counts_every_value_once(values: list[float], bins: int) -> None:
    counts = histogram(values, bins)
    assert len(counts) == bins
    assert sum(counts) == len(values)
    assert len(sparkline(values, bins)) == bins


@given(st.lists(st.floats(min_value=0, max_value=1e6), max_size=10), st.integers(1, 40))
def test_bars_are_as_long_as_their_values(values: list[float], width: int) -> None:
    drawn = bars(values, width)
    assert len(drawn) == len(values)
    assert all(len(bar) <= width for bar in drawn)
    if values and max(values) > 0:
        assert max(len(bar) for bar in drawn) == width
        order = sorted(range(len(values)), key=values.__getitem__)
        assert [len(drawn[n]) for n in order] == sorted(len(bar) for bar in drawn)


@given(st.integers(50, 400), st.integers(1, 60), st.integers(100, 30_000))
def test_a_prompt_made_to_measure_has_that_length(hundredths: int, fixed: int, tokens: int) -> None:
    """Whatever a word costs, two counts are enough to know."""
    per_word = hundredths / 100

    def counted(words: int) -> int:
        return round(fixed + per_word * words)

    filler = Filler.fitted((64, counted(64)), (256, counted(256)))
    assert abs(counted(filler.words(tokens)) - tokens) <= 4 + tokens * 0.02


def test_no_two_prompts_begin_alike() -> None:
    beginnings = {talk(5)[0].content[:8] for _ in range(50)}
    assert len(beginnings) == 50
    assert len(talk(500)[1].content.split("\n\n")[0].split()) == 500


@pytest.mark.parametrize(
    ("spans", "served"),
    [
        (((0.1, 2.0), (0.1, 2.1)), 2),
        (((0.1, 2.0), (2.1, 4.0)), 1),
        (((0.1, 2.0), (1.999, 4.0)), 1),
        (((0.1, 2.0), (0.2, 2.2), (2.4, 4.0)), 2),
    ],
)
def test_how_many_are_served_at_a_time(spans: tuple[tuple[float, float], ...], served: int) -> None:
    count = len(spans)
    found = at_once(result("1", *talks(count, *spans)), count)
    assert found.served == served
    assert found.last_ttft == max(first for first, _ in spans)
    assert found.together == pytest.approx(100 * count / max(end for _, end in spans))


def test_a_round_with_a_failure_counts_as_that_only() -> None:
    good, bad = talks(2, (0.1, 2.0), (0.1, 2.0))
    found = at_once(result("1", good, msgspec.structs.replace(bad, error="It broke.")), 2)
    assert (found.failed, found.ttft, found.served) == (1, None, None)


def test_a_rate_leaves_the_first_token_out() -> None:
    [run] = warm(1.5)
    assert run.received_rate == pytest.approx(50.0)
    assert run.served_rate == pytest.approx(50.5)
    nothing = Run(step=Step.WARM, number=1, ttft=0.5, elapsed=0.5, eval_count=1)
    assert (nothing.received_rate, nothing.served_rate, nothing.prompt_rate) == (None, None, None)


def test_an_empty_result_can_be_told() -> None:
    said = terminal_text(report(result(stopped="It was stopped by Ctrl+C.")))
    assert "Not complete: It was stopped by Ctrl+C." in said
    assert figures(result()).ttft is None
    assert spread(result()) == ""


def test_the_report_says_what_its_figures_mean() -> None:
    lengths = ((512, 0.3), (1024, 0.6), (2048, 1.2), (4096, 6.0))
    probes = [Run(step=Step.CONTEXT, number=1, target=n, ttft=ttft) for n, ttft in lengths]
    queued = talks(2, (0.1, 2.0), (2.1, 4.0))
    said = " ".join(terminal_text(report(result("1", *warm(1.0, 2.0), *probes, *queued))).split())
    assert "From 2,048 to 4,096 tokens the first token gets later faster than before" in said
    assert "The server wrote 1 at a time and let the others wait" in said
    assert "P95 of 2 runs" in said


def test_memory_that_spills_is_shown_as_a_part() -> None:
    peak = Peak(
        model=15_000_000_000, whole=20_000_000_000, used=21 << 30, total=22 << 30, context_length=4096
    )
    said = terminal_text(report(result(peak=peak)))
    assert "15.0 GB of 20.0 GB" in said
    assert "21.0 of 22.0 GiB" in said
    assert "4,096" in said


@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=30))
def test_markdown_shows_any_text_as_text(text: str) -> None:
    table = Table("T", ("a", "b"), ((text, "1"),))
    row = markdown_text(Report("r", (), (table,), ())).splitlines()[-1]
    assert row.count("|") - row.count("\\|") == 3


def test_a_row_of_csv_is_a_request() -> None:
    rows = csv_text(result("1", *warm(1.0))).splitlines()
    assert rows[0].startswith("step,number,target,started,ttft,")
    assert rows[1].startswith("warm,1,0,0.0,1.0,3.0,,,101,2.0,")


@given(st.lists(DURATIONS, max_size=30))
def test_any_bench_can_be_drawn(ttfts: list[float]) -> None:
    drawn = ET.fromstring(svg(result("1", *warm(*ttfts)), ((1.8, "recipe <&> 1.8 s"),) if ttfts else ()))
    assert len(drawn.findall(".//{http://www.w3.org/2000/svg}circle")) == len(ttfts)


def test_results_come_back_as_they_were_kept(tmp_path: Path) -> None:
    damaged: list[str] = []
    results = Results(tmp_path / "benches", damaged.append)
    kept = [result("20260101-000000", *warm(1.0, 2.0)), result("20260102-000000", stopped="Stopped.")]
    for one in reversed(kept):
        results.keep(one)
    (tmp_path / "benches" / "20251231-000000.json").write_bytes(b"\xff\x00")
    assert results.all() == kept
    assert len(damaged) == 1
    assert "20251231-000000.json" in damaged[0]
    assert results.find("20260102", kept) is kept[1]
    assert results.ids() == {"20251231-000000", "20260101-000000", "20260102-000000"}
    with pytest.raises(SettingsError, match="Several benches begin with 2026: 20260101-000000, 20260102"):
        results.find("2026", kept)
    with pytest.raises(SettingsError, match="no bench x"):
        results.find("x", kept)


def test_today_is_set_beside_the_last_bench_before_something_changed() -> None:
    old, new = Surroundings(host="a10", version="0.32"), Surroundings(host="a10", version="0.33")
    first, second = result("1", surroundings=old), result("2", surroundings=old)
    third, today = result("3", surroundings=new), result("4", surroundings=new)
    elsewhere = result("35", surroundings=Surroundings(host="other"))
    assert earlier(today, [first, second, third, elsewhere, today]) is second
    assert earlier(second, [first, second, third, today]) is first
    assert earlier(first, [first, second]) is None


def test_a_comparison_says_what_changed_and_what_is_noise() -> None:
    before = result("1", *warm(*(1.0 + n / 100 for n in range(20))), surroundings=Surroundings(driver="550"))
    after = result("2", *warm(*(1.5 + n / 100 for n in range(20))), surroundings=Surroundings(driver="580"))
    said = terminal_text(comparison_report(comparison(before, after)))
    lines = {line.split("  ")[0]: line for line in said.splitlines()}
    assert "550" in lines["driver"]
    assert "worse (+" in lines["first token"]
    assert "within the noise" in lines["tokens/s, by the server"]
    other = msgspec.structs.replace(after, plan=Plan(model="qwen3:32b", num_ctx=4096))
    assert "These were different tests" in terminal_text(comparison_report(comparison(before, other)))


def test_a_report_in_chinese_is_laid_out_by_cells() -> None:
    note = (
        "每次运行都是一个新的对话，使用相同的提示词（OLLAMA_NUM_PARALLEL），服务器在前一次运行后已将其缓存。"
        * 2
    )
    table = Table("提示", ("", "平均", "P50"), (("首个词元", "1.80 s", "1.7 s"), ("tokens/s", "24.1", "25")))
    lines = terminal_text(Report("标题", (), (table,), (note,))).splitlines()
    assert len({cell_len(line[: line.rindex("  ")]) for line in lines[3:6]}) == 1
    notes = lines[lines.index("", 2) + 1 :]
    assert max(map(cell_len, notes)) <= 79
    assert "".join(line[2:] for line in notes) == note
    assert not any(line[2] in "，。）" for line in notes)
