"""``hypgraph export``: the embeddings of a run, in files that others read."""

import csv
import json

import numpy as np
import pytest

from tests.cli.program import hypgraph, tree


def arrays_of(path):
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_npz_holds_the_embeddings_of_the_run(karate_run, here):
    outcome = hypgraph("export", karate_run, "--out", "e.npz")
    assert (outcome.code, outcome.err) == (0, "")
    assert "e.npz" in outcome.out
    assert "34" in outcome.out
    exported, original = arrays_of(here / "e.npz"), arrays_of(karate_run / "embeddings.npz")
    assert exported.keys() == original.keys() == {"node_id", "loc", "scale", "c", "manifold"}
    for name, array in original.items():
        assert exported[name].dtype == array.dtype
        assert np.array_equal(exported[name], array)


def test_csv_reads_back_exactly(karate_run, here):
    assert hypgraph("export", karate_run, "--format", "csv", "--out", "e.csv").code == 0
    arrays, rows = arrays_of(karate_run / "embeddings.npz"), rows_of(here / "e.csv")
    columns = [f"{name}_{k}" for name in ("loc", "scale") for k in range(3)]
    assert list(rows[0]) == ["node_id", *columns, "c", "manifold"]
    assert [int(row["node_id"]) for row in rows] == arrays["node_id"].tolist()
    for name in ("loc", "scale"):
        numbers = [[float(row[f"{name}_{k}"]) for k in range(3)] for row in rows]
        assert np.array_equal(np.array(numbers), arrays[name])
    assert {(float(row["c"]), row["manifold"]) for row in rows} == {(1.0, "poincare")}


def test_ids_that_are_strings_come_through(here):
    names = [f'Ann, "the {number}th" of Łódź' for number in range(30)]
    with (here / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((names[u], names[(u + step) % 30]) for u in range(30) for step in (1, 5))
    assert hypgraph("train", "--data", "people.csv", "--epochs", 2, "--out", "run", "-q").code == 0
    assert hypgraph("export", "run", "--format", "csv", "--out", "e.csv").code == 0
    exported = [row["node_id"] for row in rows_of(here / "e.csv")]
    assert sorted(exported) == sorted(names)
    assert exported == arrays_of(here / "run/embeddings.npz")["node_id"].tolist()


def test_a_point_on_the_hyperboloid_has_a_coordinate_more(here):
    options = ["--data", "karate", "--latent", "lorentz", "--dim", 2, "--epochs", 2]
    assert hypgraph("train", *options, "--out", "run").code == 0
    assert hypgraph("export", "run", "--format", "csv", "--out", "e.csv").code == 0
    header = list(rows_of(here / "e.csv")[0])
    assert [name for name in header if name.startswith("loc")] == ["loc_0", "loc_1", "loc_2"]
    assert [name for name in header if name.startswith("scale")] == ["scale_0", "scale_1"]


def test_a_file_is_replaced_only_by_force(karate_run, here):
    (here / "e.npz").write_text("mine")
    line = hypgraph("export", karate_run, "--out", "e.npz").error
    assert "e.npz" in line
    assert "--force" in line
    assert tree(here) == {"e.npz": b"mine"}
    assert hypgraph("export", karate_run, "--out", "e.npz", "--force").code == 0
    assert "loc" in arrays_of(here / "e.npz")
    assert list(tree(here)) == ["e.npz"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--out", "e.npz", "--format", "xlsx"], ["format", "'xlsx'", "npz", "csv"]),
        (["--out", "e.npz", "--format", "cvs"], ["did you mean 'csv'?"]),
        (["--out", "."], ["--out", "folder"]),
        (["--out", "nowhere/e.npz"], ["nowhere", "no folder"]),
        (["--out", "x" * 300], ["too long"]),
    ],
    ids=["format", "typing error", "folder", "no folder", "long name"],
)
def test_a_bad_option_is_one_line_and_leaves_nothing(options, words, karate_run, here):
    line = hypgraph("export", karate_run, *options).error
    for word in words:
        assert word in line
    assert tree(here) == {}


def test_a_disk_that_is_full_is_one_line_and_leaves_no_part_of_a_file(karate_run, here, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert "No space left" in hypgraph("export", karate_run, "--out", "e.npz").error
    assert tree(here) == {}


def test_a_run_of_several_seeds_names_one_to_export(here):
    assert hypgraph("train", "--data", "karate", "--epochs", 2, "--seeds", 2, "--out", "runs", "-q").code == 0
    line = hypgraph("export", "runs", "--out", "e.npz").error
    assert "runs/seed-0" in line
    assert hypgraph("export", "runs/seed-0", "--out", "e.npz").code == 0
    assert json.loads((here / "runs/seed-0/summary.json").read_text())["seed"] == 0
