"""The table: its figures are those of SciPy, and what is missing, unverified or not finite is said."""

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from hypgraph.exceptions import ConfigError
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import Experiment, load_experiment
from hypgraph.experiments.experiment_table import command_line, render, time_text
from tests.experiments.fake_kind import EXPERIMENT, FakeKind

Write = Callable[..., Experiment]

FIGURES = np.random.default_rng(3).normal(100.0, 2.0, size=(6, 3))
"""Of 6 cells and 3 seeds."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """An experiment of this text whose cells have the figures of a table, in the folder ``out``."""

    def write_records(text: str, figures: np.ndarray = FIGURES, **others: object) -> Experiment:
        (tmp_path / "test.toml").write_text(text, encoding="utf-8")
        experiment = load_experiment(tmp_path / "test.toml", kinds={"fake": FakeKind})
        store = CellStore(tmp_path / "out")
        for cell, values in zip(experiment.cells, figures, strict=False):
            folder = store.prepare(cell)
            for seed, value in enumerate(values):
                record = {
                    "figures": {"iwae": float(value), **others},
                    "seconds": 30.0,
                    "device": "cpu",
                    "version": "0.1.0",
                    "commit": "0123456789abcdef",
                }
                store.write_record(cell, seed, experiment.measures[0], record)
            seeds = list(range(len(values)))
            (folder / "training-time.json").write_text(
                f'{{"sessions": [{{"seeds": {seeds}, "seconds": {60 * len(seeds)}, "device": "cpu"}}]}}'
            )
        return experiment

    return write_records


def rows_of(markdown: str, head: str) -> list[dict[str, str]]:
    """The rows of the table whose head begins with ``head``, by column."""
    lines = markdown.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {head}"))
    table = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").replace("\\|", "/").split("|")])
    assert {len(row) for row in table} == {len(table[0])}
    return [dict(zip(table[0], row, strict=True)) for row in table[2:]]


def t_interval(values: np.ndarray) -> str:
    mean, half_width = (
        np.mean(values),
        scipy.stats.t.interval(0.95, len(values) - 1, scale=scipy.stats.sem(values))[1],
    )
    return f"{mean:.1f} ± {half_width:.1f}"


def test_a_cell_is_a_row_with_mean_interval_and_number_of_runs(write: Write, tmp_path: Path) -> None:
    markdown = render(write(EXPERIMENT), tmp_path / "out").markdown()
    rows = rows_of(markdown, "latent")
    assert [(row["latent"], row["c"], row["dim"]) for row in rows] == [
        ("euclidean", "–", "2"),
        ("euclidean", "–", "5"),
        ("poincare", "0.1", "2"),
        ("poincare", "0.1", "5"),
        ("poincare", "1.2", "2"),
        ("poincare", "1.2", "5"),
    ]
    assert [row["likelihood.iwae"] for row in rows] == [t_interval(values) for values in FIGURES]
    assert {(row["n"], row["device"], row["time a run"]) for row in rows} == {("3", "cpu", "1.5 min")}
    assert "published" not in markdown


def test_the_protocol_is_stated(write: Write, tmp_path: Path) -> None:
    text = EXPERIMENT.replace(
        "seeds = 3", 'seeds = 3\nseeds_draw_data = true\nleaves_open = ["The width.", "The rate."]'
    )
    text = text.replace("[smoke]", 'note = "Mind this."\nlabel = "-log p(x), nats"\n[smoke]')
    markdown = render(write(text), tmp_path / "out").markdown()
    assert markdown.startswith("# test\n\nA test.\n\n")
    for words in (
        "Every cell: data = trees, epochs = 4, does = train.",
        "Measured: likelihood (draws = 5).",
        "3 runs, seeds 0 to 2",
        "95 % Student intervals",
        "draws data of its own",
        "Mind this.",
        "- The width.\n- The rate.",
        f"Made by `hypgraph experiment run {tmp_path / 'test.toml'}` with hypgraph 0.1.0 (0123456).",
        "| -log p(x), nats |",
    ):
        assert words in markdown, words
    assert "Every seed has the same data" not in markdown
    assert "Every seed has the same data" in render(write(text.replace("= true", "= false")), tmp_path).markdown()


def test_a_cell_that_has_not_been_run_has_a_dash(write: Write, tmp_path: Path) -> None:
    rows = rows_of(render(write(EXPERIMENT, FIGURES[:1]), tmp_path / "out").markdown(), "latent")
    assert rows[0]["likelihood.iwae"] == t_interval(FIGURES[0])
    assert {(row["likelihood.iwae"], row["n"], row["device"], row["time a run"]) for row in rows[1:]} == {
        ("–", "0", "–", "–")
    }


def test_one_run_has_no_interval(write: Write, tmp_path: Path) -> None:
    rows = rows_of(render(write(EXPERIMENT, FIGURES[:, :1]), tmp_path / "out").markdown(), "latent")
    assert [(row["likelihood.iwae"], row["n"]) for row in rows] == [
        (f"{value:.1f}", "1") for value in FIGURES[:, 0]
    ]


def test_a_figure_that_is_not_finite_is_no_part_of_a_mean(write: Write, tmp_path: Path) -> None:
    figures = FIGURES.copy()
    figures[2, 1], figures[3, 0], figures[3, 2] = math.nan, math.inf, -math.inf
    table = render(write(EXPERIMENT + COMPARISON, figures), tmp_path / "out")
    rows = rows_of(table.markdown(), "latent")
    assert [row["likelihood.iwae"] for row in rows[2:5]] == [
        "not finite (seed 1)",
        "not finite (seeds 0, 2)",
        t_interval(figures[4]),
    ]
    differences = rows_of(table.markdown().split("## ours - flat")[1], "latent")
    assert [row["ours - flat"] for row in differences[:2]] == ["not finite (seed 1)", "not finite (seeds 0, 2)"]
    assert "±" in differences[2]["ours - flat"]
    lines = [line for line in csv.DictReader(io.StringIO(table.csv())) if line["figure"] == "iwae"]
    assert [line["mean"] for line in lines[2:4]] == ["nan", "nan"]


def test_a_figure_that_some_runs_lack_has_the_number_of_those_that_have_it(write: Write, tmp_path: Path) -> None:
    experiment = write(EXPERIMENT.replace("[smoke]", 'also = ["likelihood.kl"]\n[smoke]'), kl=7.0)
    file = CellStore(tmp_path / "out").record_file(experiment.cells[0], 1, experiment.measures[0])
    record = json.loads(file.read_text())
    del record["figures"]["kl"]
    file.write_text(json.dumps(record))
    rows = rows_of(render(experiment, tmp_path / "out").markdown(), "latent")
    assert (rows[0]["likelihood.kl"], rows[0]["n"]) == ("7.0 ± 0.0 (n = 2)", "3")
    assert rows[0]["likelihood.iwae"] == t_interval(FIGURES[0])
    assert rows[1]["likelihood.kl"] == "7.0 ± 0.0"


REFERENCES = """
[[reference]]
cell = { latent = "euclidean", dim = 2 }
value = 57
half_width = 0.25
trust = "unverified"
source = "Some paper, from memory"

[[reference]]
cell = { latent = "poincare", c = 1.2, dim = 2 }
value = 55.6
trust = "quoted"
source = "Another paper"

[[reference]]
cell = { latent = "poincare", c = 1.2, dim = 5 }
failed = true
trust = "verified"
source = "The code"
"""


def test_published_figures_stand_beside_ours_with_how_far_to_trust_them(write: Write, tmp_path: Path) -> None:
    markdown = render(write(EXPERIMENT + REFERENCES), tmp_path / "out").markdown()
    published = [row["published"] for row in rows_of(markdown, "latent")]
    assert published == ["57.0 ± 0.25 (unverified)", "–", "–", "–", "55.6", "failed"]
    assert (
        "Some paper, from memory (unverified); Another paper (as another source quotes it); The code" in markdown
    )


def test_a_key_may_become_columns(write: Write, tmp_path: Path) -> None:
    text = (EXPERIMENT + REFERENCES).replace("[smoke]", 'across = "dim"\nalso = ["likelihood.kl"]\n[smoke]')
    figures = FIGURES.tolist()
    figures[1] = figures[1][:2]
    markdown = render(write(text, figures, kl=7.0), tmp_path / "out").markdown()
    rows = rows_of(markdown, "latent | c | dim 2")
    ours = [t_interval(np.array(values)) for values in figures]
    assert rows == [
        {
            "latent": "euclidean",
            "c": "–",
            "dim 2": f"{ours[0]} / 57.0 ± 0.25 (unverified)",
            "dim 5": f"{ours[1]} (n = 2)",
        },
        {"latent": "poincare", "c": "0.1", "dim 2": ours[2], "dim 5": ours[3]},
        {"latent": "poincare", "c": "1.2", "dim 2": f"{ours[4]} / 55.6", "dim 5": f"{ours[5]} / failed"},
    ]
    further = rows_of(markdown, "latent | dim")
    assert [(row["likelihood.kl"], row["n"]) for row in further] == [("7.0 ± 0.0", n) for n in "323333"]


def test_a_pivot_leaves_a_cell_that_the_grid_has_not_empty(write: Write, tmp_path: Path) -> None:
    text = EXPERIMENT.replace("dim = [2, 5]\n\n[[grid]]", "dim = 2\n\n[[grid]]").replace(
        "[smoke]", 'across = "dim"\n[smoke]'
    )
    rows = rows_of(render(write(text, FIGURES[:1]), tmp_path / "out").markdown(), "latent | c | dim 2")
    assert [(row["dim 2"], row["dim 5"]) for row in rows] == [(t_interval(FIGURES[0]), ""), ("–", "–"), ("–", "–")]


COMPARISON = '\n[comparison]\nagainst = { latent = "euclidean" }\nsame = ["dim"]\nlabel = "ours - flat"\n'


def test_differences_are_those_of_the_paired_t_test(write: Write, tmp_path: Path) -> None:
    markdown = render(write(EXPERIMENT + COMPARISON), tmp_path / "out").markdown()
    rows = rows_of(markdown.split("## ours - flat")[1], "latent")
    assert len(rows) == 4
    for row, values, flat in zip(rows, FIGURES[2:], [FIGURES[0], FIGURES[1]] * 2, strict=True):
        test = scipy.stats.ttest_rel(values, flat)
        low, high = test.confidence_interval(0.95)
        assert row["ours - flat"] == f"{(low + high) / 2:+.1f} ± {(high - low) / 2:.1f}"
        assert (row["p"], row["n"]) == (f"{test.pvalue:.3f}", "3")
    assert "latent = euclidean and the same dim" in markdown


def test_differences_are_of_the_seeds_that_both_have(write: Write, tmp_path: Path) -> None:
    figures = FIGURES.tolist()
    figures[3] = []
    experiment, store = write(EXPERIMENT + COMPARISON, figures), CellStore(tmp_path / "out")
    store.record_file(experiment.cells[0], 0, experiment.measures[0]).unlink()
    store.record_file(experiment.cells[5], 1, experiment.measures[0]).unlink()
    markdown = render(experiment, tmp_path / "out").markdown()
    rows = rows_of(markdown.split("## ours - flat")[1], "latent")
    assert [(row["dim"], row["n"]) for row in rows] == [("2", "2"), ("5", "0"), ("2", "2"), ("5", "2")]
    mean = np.mean(FIGURES[2, 1:] - FIGURES[0, 1:])
    assert rows[0]["ours - flat"].startswith(f"{mean:+.1f} ± ")
    assert rows[1]["ours - flat"] == "–"


def test_a_difference_of_which_chance_is_no_explanation_has_a_bound_for_p(write: Write, tmp_path: Path) -> None:
    figures = FIGURES.copy()
    figures[2] = figures[0] - [9.9, 10.0, 10.1]
    rows = rows_of(
        render(write(EXPERIMENT + COMPARISON, figures), tmp_path / "out").markdown().split("##")[1], "latent"
    )
    assert (rows[0]["ours - flat"], rows[0]["p"]) == ("-10.0 ± 0.2", "< 0.001")


def test_figures_may_be_scaled_and_have_other_digits(write: Write, tmp_path: Path) -> None:
    text = EXPERIMENT.replace("[smoke]", "scale = 100\ndigits = 3\n[smoke]")
    rows = rows_of(render(write(text, np.full((6, 3), 0.5)), tmp_path / "out").markdown(), "latent")
    assert rows[0]["likelihood.iwae"] == "50.000 ± 0.000"


def test_the_elements_of_a_list_are_columns(write: Write, tmp_path: Path) -> None:
    text = EXPERIMENT.replace("[smoke]", 'also = ["likelihood.digits"]\n[smoke]')
    rows = rows_of(render(write(text, digits=[0.25, 0.5]), tmp_path / "out").markdown(), "latent")
    assert [rows[0][f"likelihood.digits.{digit}"] for digit in (0, 1)] == ["0.2 ± 0.0", "0.5 ± 0.0"]
    with pytest.raises(ConfigError, match=r"'likelihood\.digits' is a list; choose one of likelihood\.digits\.0"):
        render(write(EXPERIMENT.replace("iwae", "digits"), digits=[0.25, 0.5]), tmp_path / "out")


def test_a_table_of_a_figure_that_was_not_measured_is_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"no figure 'likelihood\.iwea' was measured; did you mean 'likelihood\.iwae'"
    ):
        render(write(EXPERIMENT.replace("iwae", "iwea")), tmp_path / "out")


def test_the_csv_has_a_line_for_each_cell_and_figure(write: Write, tmp_path: Path) -> None:
    table = render(write(EXPERIMENT + REFERENCES, FIGURES[:5], kl=7.0), tmp_path / "out")
    lines = list(csv.DictReader(io.StringIO(table.csv())))
    assert [line["figure"] for line in lines] == ["iwae", "kl"] * 5 + ["iwae"]
    for line, values in zip(lines[:10:2], FIGURES, strict=False):
        half_width = scipy.stats.t.ppf(0.975, 2) * scipy.stats.sem(values)
        assert float(line["mean"]) == pytest.approx(np.mean(values), rel=1e-9)
        assert float(line["half_width"]) == pytest.approx(half_width, rel=1e-9)
        assert (line["measure"], line["n"], line["device"], line["seconds"]) == ("likelihood", "3", "cpu", "90")
    first, last = lines[0], lines[-1]
    assert [first[key] for key in ("latent", "c", "dim", "reference", "reference_half_width", "trust")] == [
        *("euclidean", "", "2"),
        *("57", "0.25", "unverified"),
    ]
    assert [last[key] for key in ("latent", "c", "dim", "mean", "half_width", "n", "trust", "seconds")] == [
        *("poincare", "1.2", "5"),
        *("", "", "0", "verified", ""),
    ]
    assert lines[1]["reference"] == ""


def test_a_changed_experiment_says_so_and_gives_its_command(write: Write, tmp_path: Path) -> None:
    experiment = write(EXPERIMENT).with_changes(seeds=2, assignments=["data=my data"])
    markdown = render(experiment, tmp_path / "out").markdown()
    options = "--set 'data=my data' --seeds 2"
    assert f"Not the experiment as its file has it: `{options}`" in markdown
    assert f"`hypgraph experiment run {tmp_path / 'test.toml'} {options}`" in markdown
    assert command_line(experiment, "table", "--out", "a b").endswith(f"{options} --out 'a b'")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "–"), (0.04, "0.0 s"), (59.9, "59.9 s"), (60, "1.0 min"), (3600, "1.0 h"), (9e4, "25.0 h")],
)
def test_times_have_the_unit_that_suits_them(seconds: float | None, text: str) -> None:
    assert time_text(seconds) == text
