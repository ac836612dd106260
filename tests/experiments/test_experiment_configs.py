"""The experiments that come with the package: their cells, the published figures, and a trial run of each."""

import csv
import io
import itertools
import json
import math
from pathlib import Path
from typing import Any

import pytest

from hypgraph.data import images
from hypgraph.experiments.cell_store import CellStore
from hypgraph.experiments.experiment import Cell, Experiment, load_experiment
from hypgraph.experiments.experiment_file import experiment_names
from hypgraph.experiments.experiment_results import read_results
from tests.cli.program import hypgraph

NAMES = sorted(experiment_names())
MNIST_NAMES = ["mnist", "mnist-cpu"]

Point = tuple[str, str | None, float | None]  # latent, family, c

# −log p(x) of MNIST as Mathieu et al. 2019 print it, as far as anyone of us remembers: rows are spaces, columns
# dimensions 2, 5, 10, 20; None where the released code fails.
PUBLISHED: dict[Point, list[tuple[float, float] | None]] = {
    ("euclidean", None, None): [(144.5, 0.4), (114.7, 0.1), (100.2, 0.1), (97.6, 0.1)],
    ("poincare", "wrapped", 0.1): [(143.9, 0.5), (115.5, 0.3), (100.2, 0.1), (97.2, 0.1)],
    ("poincare", "wrapped", 0.2): [(144.2, 0.5), (115.3, 0.3), (100.0, 0.1), (97.1, 0.1)],
    ("poincare", "wrapped", 0.7): [(143.8, 0.6), (115.1, 0.3), (100.2, 0.1), (97.5, 0.1)],
    ("poincare", "wrapped", 1.4): [(144.0, 0.6), (114.7, 0.1), (100.7, 0.1), (98.0, 0.1)],
    ("poincare", "riemannian", 0.1): [(143.7, 0.6), (115.2, 0.2), (99.9, 0.1), (97.0, 0.1)],
    ("poincare", "riemannian", 0.2): [(143.8, 0.7), (114.7, 0.3), (99.7, 0.1), (97.4, 0.1)],
    ("poincare", "riemannian", 0.7): [(143.1, 0.4), (114.1, 0.2), (101.2, 0.2), None],
    ("poincare", "riemannian", 1.4): [(142.5, 0.4), (115.5, 0.3), None, None],
}
DIMS = [2, 5, 10, 20]
QUOTED = {(("euclidean", None, None), 2), (("poincare", "wrapped", 1.4), 2)}


def point(cell: Cell) -> Point:
    values = cell.values
    flat = values["latent"] == "euclidean"
    return values["latent"], None if flat else values["family"], values["c"]


def same_for_all(experiment: Experiment, **expected: object) -> None:
    for cell in experiment.cells:
        assert {key: cell.values[key] for key in expected} == expected, cell.name


def measures(experiment: Experiment) -> list[tuple[str, dict[str, Any]]]:
    return [(measure.measure, measure.options.model_dump()) for measure in experiment.measures]


def test_the_experiments_are_listed_with_a_line_each() -> None:
    assert {"trees", "mnist", "mnist-cpu"} <= set(NAMES)
    outcome = hypgraph("experiment", "list")
    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert sorted(line.split()[0] for line in lines) == NAMES
    assert all(len(line.split(maxsplit=1)[1]) > 20 for line in lines)


@pytest.mark.parametrize("name", NAMES)
def test_an_experiment_loads_and_says_what_it_leaves_open_and_what_its_seeds_are(name: str) -> None:
    experiment = load_experiment(name)
    assert experiment.cells
    assert experiment.file.leaves_open
    assert (experiment.file.seeds_draw_data is None) == (experiment.kind.shares is not None)
    assert experiment.comparisons
    assert experiment.file.table.label
    folders = {CellStore(Path()).folder(cell).name for cell in experiment.cells}
    assert len(folders) == len(experiment.cells)


def test_trees_has_its_22_cells() -> None:
    experiment = load_experiment("trees")
    hyperbolic = itertools.product(["poincare"], ["wrapped", "riemannian"], [0.1, 0.3, 0.8, 1.0, 1.2])
    spaces: list[Point] = [("euclidean", None, None), *hyperbolic]
    found = [(point(cell), cell.values["prior_scale"]) for cell in experiment.cells]
    assert len(found) == 22
    assert set(found) == set(itertools.product(spaces, [1.0, 1.7]))
    same_for_all(
        experiment,
        data="trees",
        dim=2,
        hidden=200,
        decoder="gyroplane",
        epochs=1000,
        batch_size=64,
        lr=1e-3,
        beta=1.0,
        draws=1,
        train_points=None,
    )
    assert experiment.seeds == tuple(range(20))
    assert experiment.file.seeds_draw_data is True
    assert measures(experiment) == [("likelihood", {"draws": 5000, "points": None, "subset_seed": 0})]
    assert len(experiment.comparisons) == 20
    for cell, flat in experiment.comparisons:
        assert flat.values["latent"] == "euclidean" != cell.values["latent"]
        assert cell.values["prior_scale"] == flat.values["prior_scale"]


def test_published_figures_of_trees() -> None:
    references = load_experiment("trees").references
    found = {point(cell): item for cell, item in references.items() if cell.values["prior_scale"] == 1.7}
    assert len(found) == len(references) == 3
    flat, wrapped, riemannian = (
        found[space]
        for space in (("euclidean", None, None), ("poincare", "wrapped", 1.2), ("poincare", "riemannian", 1.2))
    )
    assert (flat.value, flat.trust) == (56.85, "verified")  # likewise
    assert (wrapped.value, wrapped.trust) == (56.4, "verified")  # a rerun by others, rescaled
    assert riemannian.value is not None
    assert 55.6 <= riemannian.value <= 56.6
    assert riemannian.trust == "unverified"
    assert "rescaled" in wrapped.source
    assert "rescaled" in flat.source


def test_mnist_has_the_36_cells_of_the_paper_in_its_protocol() -> None:
    experiment = load_experiment("mnist")
    found = [(point(cell), cell.values["dim"]) for cell in experiment.cells]
    assert len(found) == 36
    assert set(found) == set(itertools.product(PUBLISHED, DIMS))
    same_for_all(
        experiment,
        data="mnist",
        hidden=600,
        decoder="gyroplane",
        prior_scale=1.0,
        epochs=80,
        batch_size=128,
        lr=5e-4,
        beta=1.0,
        draws=1,
        train_points=None,
    )
    assert experiment.seeds == tuple(range(10))
    assert measures(experiment) == [("likelihood", {"draws": 5000, "points": None, "subset_seed": 0})]


def test_mnist_cpu_has_every_cell_and_some_for_longer() -> None:
    experiment = load_experiment("mnist-cpu")
    same_for_all(experiment, data="mnist", hidden=600, prior_scale=1.0, batch_size=128, lr=5e-4, train_points=None)
    epochs: dict[tuple[Point, int], int] = {}
    for cell in experiment.cells:
        key = point(cell), cell.values["dim"]
        epochs[key] = max(epochs.get(key, 0), cell.values["epochs"])
    assert set(epochs) == set(itertools.product(PUBLISHED, DIMS))
    assert min(epochs.values()) >= 3
    for (space, dim), most in epochs.items():
        if dim in (2, 10) and space[2] in (None, 0.7, 1.4):
            assert most >= 20, (space, dim)
    pairs = [(cell, flat) for cell, flat in experiment.comparisons if flat.values["epochs"] == 80]
    assert [(cell.values["dim"], flat.values["dim"]) for cell, flat in pairs] == [(2, 2)]
    assert measures(experiment) == [
        ("likelihood", {"draws": 5000, "points": 500, "subset_seed": 0}),
        ("likelihood", {"draws": 100, "points": None, "subset_seed": 0}),
    ]


@pytest.mark.parametrize("name", MNIST_NAMES)
def test_cells_of_mnist_are_compared_with_the_flat_one_of_the_same_dimension_and_training(name: str) -> None:
    experiment = load_experiment(name)
    hyperbolic = [cell for cell in experiment.cells if cell.values["latent"] != "euclidean"]
    assert [cell for cell, _ in experiment.comparisons] == hyperbolic
    for cell, flat in experiment.comparisons:
        assert flat.values["latent"] == "euclidean"
        other = ("latent", "family", "c")
        assert {k: v for k, v in cell.values.items() if k not in other} == {
            k: v for k, v in flat.values.items() if k not in other
        }


@pytest.mark.parametrize("name", MNIST_NAMES)
def test_published_figures_of_mnist(name: str) -> None:
    experiment = load_experiment(name)
    compares = {cell for cell in experiment.cells if cell.values["epochs"] == 80}
    assert set(experiment.references) == compares
    for cell, item in experiment.references.items():
        place = point(cell), cell.values["dim"]
        published = PUBLISHED[place[0]][DIMS.index(place[1])]
        found = None if item.failed else (item.value, item.half_width)
        assert found == published, place
        assert item.trust == ("quoted" if place in QUOTED else "unverified"), place
        assert "80 epochs, 10 runs, IWAE-5000" in item.source
        assert ("memory" in item.source) == (item.trust == "unverified")


@pytest.mark.parametrize("name", [name for name in NAMES if "mnist" in name or name == "digits"])
def test_figures_of_grey_pixels_are_labelled_as_a_comparison(name: str) -> None:
    file = load_experiment(name).file
    if file.table.value.endswith("iwae"):
        assert "not nats of data" in file.table.label


def test_published_figures_of_classification_and_links() -> None:
    """Those of the experiments that there are."""
    known: dict[str, dict[tuple[object, ...], tuple[float, float | None]]] = {
        "mnist-classify": {("euclidean",): (73.6, None), ("poincare",): (75.6, None)},
        "links-paper": {
            ("phylo", "euclidean"): (54.2, 2.2),
            ("csphd", "euclidean"): (56.5, 1.1),
            ("diseasome", "euclidean"): (89.8, 0.7),
            ("phylo", "poincare"): (59.0, 1.9),
            ("csphd", "poincare"): (59.8, 1.2),
            ("diseasome", "poincare"): (92.3, 0.7),
        },
    }
    for name in sorted(set(known) & set(NAMES)):
        experiment = load_experiment(name)
        assert experiment.file.table.scale == 100  # published in %
        on_graphs = name == "links-paper"
        assert set(experiment.references) == {
            cell for cell in experiment.cells if not on_graphs or cell.values["dim"] == 5
        }
        for cell, item in experiment.references.items():
            key = (cell.values["data"], cell.values["latent"]) if on_graphs else (cell.values["latent"],)
            assert (item.value, item.half_width) == known[name][key], cell.name
            assert item.trust == "unverified"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all: what two experiments share is computed once."""
    return tmp_path_factory.mktemp("trial") / "out"


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Neither a data root nor a cache nor a search for files."""
    monkeypatch.delenv("HYPGRAPH_DATA", raising=False)
    monkeypatch.setenv("HYPGRAPH_CACHE", str(tmp_path / "no-cache"))

    def nothing(*_arguments: object, **_options: object) -> Path:
        raise AssertionError("a trial run looks for files")

    monkeypatch.setattr(images, "find_file", nothing)
    return tmp_path


def numbers_in(value: object) -> list[float]:
    if isinstance(value, list):
        return [number for part in value for number in numbers_in(part)]
    assert isinstance(value, int | float)
    return [float(value)]


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize("name", NAMES)
def test_smoke_trains_every_cell_for_two_epochs_without_data_of_the_users(name: str, out: Path) -> None:
    options = ["--smoke", "--device", "cpu", "--out", out]
    outcome = hypgraph("experiment", "run", name, *options)
    assert outcome.code == 0, outcome
    whole, trial = load_experiment(name), load_experiment(name).with_changes(smoke=True)
    merged = {"data", "epochs"}  # values that a trial run has in place of the grid's
    distinct = {tuple((k, cell.values[k]) for k in whole.columns if k not in merged) for cell in whole.cells}
    assert len(trial.cells) == len(distinct)
    assert trial.seeds == whole.seeds[: len(trial.seeds)]
    assert len(trial.seeds) == min(2, len(whole.seeds))
    store = CellStore(out / "smoke")
    for cell in trial.cells:
        assert cell.values["data"] in ("trees", "digits", "karate")
        assert cell.values["epochs"] == 2
        for seed, measure in itertools.product(trial.seeds, trial.measures):
            record = store.read_record(cell, seed, measure)
            assert record is not None, (cell.name, seed)
            figures = record["figures"]
            assert all(math.isfinite(number) for value in figures.values() for number in numbers_in(value))
            if measure.measure == "likelihood":
                assert figures["kl"] >= -4 * figures["kl_error"], (cell.name, seed)
                assert figures["iwae"] <= figures["elbo"]
        for metrics in store.folder(cell).glob("metrics-*.jsonl"):
            epochs = [json.loads(line) for line in metrics.read_text().splitlines()]
            assert [epoch["epoch"] for epoch in epochs] == [1, 2]
            assert all(math.isfinite(value) for epoch in epochs for value in epoch.values())


@pytest.mark.usefixtures("no_data")
@pytest.mark.parametrize("name", NAMES)
def test_a_trial_run_has_a_table_of_all_its_figures(name: str, out: Path) -> None:
    options = ["--smoke", "--device", "cpu", "--out", out]
    assert hypgraph("experiment", "run", name, *options).code == 0  # done already, unless this test runs alone
    markdown, lines = (
        hypgraph("experiment", "table", name, "--smoke", "--out", out, "--format", form).out
        for form in ("markdown", "csv")
    )
    trial = load_experiment(name).with_changes(smoke=True)
    assert "Not the experiment as its file has it: `--smoke`" in markdown
    assert "not finite" not in markdown
    for sentence in trial.file.leaves_open:
        assert sentence in markdown
    rows = list(csv.DictReader(io.StringIO(lines)))
    shown = [f"{row['measure']}.{row['figure']}" for row in rows]
    assert {shown.count(figure) for figure in (trial.file.table.value, *trial.file.table.also)} == {
        len(trial.cells)
    }
    assert all(math.isfinite(float(row["mean"])) for row in rows)
    assert {row["n"] for row in rows} == {str(len(trial.seeds))}
    main = [cell.figure(trial.file.table.value) for cell in read_results(trial, out / "smoke").values()]
    assert len(main) == len(trial.cells)


def test_a_table_of_nothing_shows_the_published_figures_and_how_far_to_trust_them(tmp_path: Path) -> None:
    text = hypgraph("experiment", "table", "mnist", "--out", tmp_path).out
    row = next(line for line in text.splitlines() if line.startswith("| poincare | riemannian | 1.4"))
    assert [part.strip() for part in row.split("|")[4:-1]] == [
        "– / 142.5 ± 0.4 (unverified)",
        "– / 115.5 ± 0.3 (unverified)",
        "– / failed (unverified)",
        "– / failed (unverified)",
    ]


def test_published_figures_of_mnist_do_not_stand_beside_those_of_other_images(tmp_path: Path) -> None:
    text = hypgraph("experiment", "table", "mnist", "--set", "data=fashion-mnist", "--out", tmp_path).out
    assert "fashion-mnist" in text
    assert "144.5" not in text
