"""``hypgraph export``: the embeddings of a run, in files that others read."""

import csv
import json
import shutil
from pathlib import Path
from urllib.parse import unquote

import networkx as nx
import numpy as np
import pytest
import torch

from hypgraph.config import GraphConfig, HierarchyConfig
from hypgraph.data import EdgeSplit
from hypgraph.data.nx import karate
from hypgraph.export import Embeddings
from hypgraph.files import write_json
from hypgraph.manifolds import PoincareBall, Polar
from hypgraph.run_folder import RunFolder
from tests.cli.program import hypgraph, tree

COORDS = ["ball", "polar", "lorentz", "tangent", "klein"]
FORMATS = ["npz", "csv", "parquet", "word2vec", "projector", "graphml"]


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_npz_holds_the_embeddings_of_the_run(karate_run: Path, here: Path) -> None:
    outcome = hypgraph("export", karate_run, "--out", "e.npz")
    assert (outcome.code, outcome.err) == (0, "")
    assert "e.npz" in outcome.out
    assert "34" in outcome.out
    exported, original = arrays_of(here / "e.npz"), arrays_of(karate_run / "embeddings.npz")
    assert exported.keys() == original.keys()
    assert exported.keys() >= {"node_id", "loc", "scale", "c", "manifold"}
    for name, array in original.items():
        assert exported[name].dtype == array.dtype
        assert np.array_equal(exported[name], array)


def test_csv_reads_back_exactly(karate_run: Path, here: Path) -> None:
    assert hypgraph("export", karate_run, "--format", "csv", "--out", "e.csv").code == 0
    arrays, rows = arrays_of(karate_run / "embeddings.npz"), rows_of(here / "e.csv")
    columns = [f"{name}_{k}" for name in ("loc", "scale") for k in range(3)]
    assert list(rows[0]) == ["node_id", *columns, "c", "manifold"]
    assert [int(row["node_id"]) for row in rows] == arrays["node_id"].tolist()
    for name in ("loc", "scale"):
        numbers = [[float(row[f"{name}_{k}"]) for k in range(3)] for row in rows]
        assert np.array_equal(np.array(numbers), arrays[name])
    assert {(float(row["c"]), row["manifold"]) for row in rows} == {(1.0, "poincare")}


def test_ids_that_are_strings_come_through(here: Path) -> None:
    names = [f'Ann, "the {number}th" of Łódź' for number in range(30)]
    with (here / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((names[u], names[(u + step) % 30]) for u in range(30) for step in (1, 5))
    assert hypgraph("train", "--data", "people.csv", "--epochs", 2, "--out", "run", "-q").code == 0
    assert hypgraph("export", "run", "--format", "csv", "--out", "e.csv").code == 0
    exported = [row["node_id"] for row in rows_of(here / "e.csv")]
    assert sorted(exported) == sorted(names)
    assert exported == arrays_of(here / "run/embeddings.npz")["node_id"].tolist()


def test_a_point_on_the_hyperboloid_has_a_coordinate_more(here: Path) -> None:
    options = ["--data", "karate", "--latent", "lorentz", "--dim", 2, "--epochs", 2]
    assert hypgraph("train", *options, "--out", "run").code == 0
    assert hypgraph("export", "run", "--format", "csv", "--out", "e.csv").code == 0
    header = list(rows_of(here / "e.csv")[0])
    assert [name for name in header if name.startswith("loc")] == ["loc_0", "loc_1", "loc_2"]
    assert [name for name in header if name.startswith("scale")] == ["scale_0", "scale_1"]


def test_a_file_is_replaced_only_by_force(karate_run: Path, here: Path) -> None:
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
        (["--out", "e.npz", "--coords", "kline"], ["coordinates 'kline'", "did you mean 'klein'", "tangent"]),
        (["--out", "."], ["--out", "folder"]),
        ([], ["embeddings.npz", "name another file"]),
        (["--out", "e.xlsx"], ["e.xlsx: no format has the ending '.xlsx'", ".npz, .csv,", "--format"]),
        (["--out", "nowhere/e.npz"], ["nowhere", "no folder"]),
        (["--out", "x" * 300], ["too long"]),
    ],
    ids=[
        "format",
        "typing error",
        "coordinates",
        "folder",
        "the run's own file",
        "ending",
        "no folder",
        "long name",
    ],
)
def test_a_bad_option_is_one_line_and_leaves_nothing(
    options: list[str], words: list[str], karate_run: Path, here: Path
) -> None:
    line = hypgraph("export", karate_run, *options).error
    for word in words:
        assert word in line
    assert tree(here) == {}


def test_a_disk_that_is_full_is_one_line_and_leaves_no_part_of_a_file(
    karate_run: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert "No space left" in hypgraph("export", karate_run, "--out", "e.npz").error
    assert tree(here) == {}


def test_a_run_of_several_seeds_names_one_to_export(here: Path) -> None:
    assert hypgraph("train", "--data", "karate", "--epochs", 2, "--seeds", 2, "--out", "runs", "-q").code == 0
    line = hypgraph("export", "runs", "--out", "e.npz").error
    assert "runs/seed-0" in line
    assert hypgraph("export", "runs/seed-0", "--out", "e.npz").code == 0
    assert json.loads((here / "runs/seed-0/summary.json").read_text())["seed"] == 0


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_written_into_the_run_by_default_and_keeps_what_is_there(
    name: str, karate_run: Path
) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    before = tree(karate_run)
    outcome = hypgraph("export", karate_run, "--format", name, "--coords", "polar")
    assert outcome.code == 0
    new = {path for path in set(tree(karate_run)) - set(before) if "/" not in path}
    endings = {"word2vec": ".vec", "projector": "-projector"}
    assert new == {f"embeddings-polar{endings.get(name, '.' + name)}"}
    assert outcome.out.startswith("34 nodes, poincare d=3, polar coordinates -> ")
    assert outcome.out.rstrip().endswith(f"{new.pop()} ({name})")
    assert before.items() <= tree(karate_run).items()
    again = hypgraph("export", karate_run, "--format", name, "--coords", "polar")
    assert "--force" in again.error
    assert hypgraph("export", karate_run, "--format", name, "--coords", "polar", "--force").code == 0


@pytest.mark.parametrize("coords", COORDS)
def test_coordinates_of_a_run_agree_with_those_that_numpy_computes(
    coords: str, karate_run: Path, here: Path
) -> None:
    assert hypgraph("export", karate_run, "--coords", coords, "--out", "e.npz").code == 0
    run, found = arrays_of(karate_run / "embeddings.npz"), arrays_of(here / "e.npz")
    x, length = run["loc"], np.linalg.norm(run["loc"], axis=1, keepdims=True)
    radius, direction = 2 * np.arctanh(length), x / length
    expected = {
        "ball": {"loc": x},
        "polar": {"radius": radius[:, 0], "direction": direction},
        "lorentz": {"lorentz": np.hstack([np.cosh(radius), np.sinh(radius) * direction])},
        "tangent": {"tangent": radius * direction},
        "klein": {"klein": 2 * x / (1 + length**2)},
    }
    for name, array in expected[coords].items():
        assert found[name] == pytest.approx(array, rel=1e-9, abs=1e-12)


def test_the_ending_of_the_file_names_the_format(karate_run: Path, here: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    files = {
        "e.PARQUET": "parquet",
        "e.vec": "word2vec",
        "e.graphml": "graphml",
        "e": "npz",
        "e-projector": "projector",
    }
    for file, name in files.items():
        assert hypgraph("export", karate_run, "-o", file).out.rstrip().endswith(f"{file} ({name})")
    assert (here / "e-projector").is_dir()
    assert (here / "e.vec").read_text().startswith("34 3\n")


def test_an_unknown_ending_is_written_where_the_format_is_named(karate_run: Path, here: Path) -> None:
    assert hypgraph("export", karate_run, "-o", "e.txt", "--format", "csv").code == 0
    assert (here / "e.txt").read_text().startswith("node_id,")


def test_what_word2vec_cannot_hold_is_said_and_where_it_is(karate_run: Path) -> None:
    (line,) = hypgraph("export", karate_run, "-o", "e.vec").err.splitlines()
    assert "no place for scale, c and manifold" in line
    assert str(karate_run / "embeddings.npz") in line


def test_graphml_has_the_whole_graph_of_the_run_with_its_labels(karate_run: Path, here: Path) -> None:
    assert hypgraph("export", karate_run, "-o", "e.graphml").code == 0
    graph, source = nx.read_graphml(here / "e.graphml", node_type=int), nx.karate_club_graph()
    assert {frozenset(edge) for edge in graph.edges} == {frozenset(edge) for edge in source.edges}
    assert dict(graph.nodes(data="label")) == dict(source.nodes(data="club"))
    arrays = arrays_of(karate_run / "embeddings.npz")
    loc = {node: found["loc_1"] for node, found in graph.nodes(data=True)}
    assert loc == dict(zip(arrays["node_id"].tolist(), arrays["loc"][:, 1].tolist(), strict=True))


def test_the_projector_gets_the_labels(karate_run: Path, here: Path) -> None:
    assert hypgraph("export", karate_run, "-f", "projector", "-o", "p").code == 0
    with (here / "p/metadata.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    clubs = nx.karate_club_graph().nodes(data="club")
    assert {int(row["node_id"]): row["label"] for row in rows} == dict(clubs)


def of_people(here: Path, *flags: str) -> Path:
    """A run on a file of the user's own, with names that hold blanks; edges from the older to the younger."""
    with (here / "people.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows((f"P {u}", f"P {(u + step) % 30}") for u in range(30) for step in (1, 5))
    assert hypgraph("train", "--data", "people.csv", "--epochs", 2, "--out", "run", "-q", *flags).code == 0
    return here / "run"


@pytest.mark.parametrize("directed", [False, True])
def test_edges_come_from_the_run_where_the_data_are_gone(directed: bool, here: Path) -> None:
    run = of_people(here, *(["--directed"] if directed else []))
    (here / "people.csv").unlink()
    assert hypgraph("export", run, "-o", "e.graphml").code == 0
    graph = nx.read_graphml(here / "e.graphml")
    assert graph.is_directed() == directed
    assert graph.number_of_edges() == 60
    assert all(graph.has_edge(f"P {u}", f"P {(u + step) % 30}") for u in range(30) for step in (1, 5))


def test_data_that_have_changed_since_lend_neither_labels_nor_edges(here: Path) -> None:
    run = of_people(here)
    (here / "people.csv").write_text("a,b\nb,c\n")
    assert hypgraph("export", run, "-o", "e.graphml").code == 0
    assert nx.read_graphml(here / "e.graphml").number_of_edges() == 60
    assert hypgraph("export", run, "-f", "projector", "-o", "p").code == 0
    (run / "split.npz").unlink()
    assert "changed" in hypgraph("export", run, "-o", "f.graphml").error
    (here / "people.csv").unlink()
    assert "people.csv" in hypgraph("export", run, "-o", "f.graphml").error
    assert not (here / "f.graphml").exists()


def test_a_run_without_a_split_takes_the_edges_of_its_data(karate_run: Path, here: Path) -> None:
    split = EdgeSplit.load(karate_run / "split.npz")
    (karate_run / "split.npz").unlink()
    assert hypgraph("export", karate_run, "-o", "e.graphml").code == 0
    graph = nx.read_graphml(here / "e.graphml", node_type=int)
    assert {frozenset(edge) for edge in graph.edges} == {
        frozenset(edge) for edge in karate().edge_index.T.tolist()
    }
    assert torch.cat([split.train_edge_index, split.val_edge_index, split.test_edge_index], dim=1).shape[1] == 78


def test_ids_that_word2vec_cannot_hold_are_counted_and_come_back(here: Path) -> None:
    changed, _ = hypgraph("export", of_people(here), "-o", "e.vec").err.splitlines()
    assert "30 of 30 ids" in changed
    words = [line.split(" ")[0] for line in (here / "e.vec").read_text(encoding="utf-8").splitlines()[1:]]
    assert {unquote(word) for word in words} == {f"P {u}" for u in range(30)}


def test_a_flat_run_has_no_other_coordinates(here: Path) -> None:
    options = ["--data", "karate", "--latent", "euclidean", "--dim", 2, "--epochs", 2, "-q"]
    assert hypgraph("train", *options, "--out", "run").code == 0
    line = hypgraph("export", "run", "--coords", "klein", "--out", "e.csv").error
    assert "leave out --coords" in line
    assert not (here / "e.csv").exists()
    for name in ("csv", "word2vec", "projector", "graphml"):
        assert hypgraph("export", "run", "--format", name).code == 0


def test_the_file_that_the_run_is_read_from_is_never_replaced(karate_run: Path) -> None:
    before = tree(karate_run)
    for options in (["-f", "csv"], ["-f", "npz"], ["--coords", "klein"]):
        line = hypgraph("export", karate_run, *options, "-o", karate_run / "embeddings.npz", "--force").error
        assert "name another file" in line
    assert tree(karate_run) == before


def test_a_folder_of_the_user_is_never_replaced_by_the_projector(karate_run: Path, here: Path) -> None:
    (here / "p").mkdir()
    (here / "p/thesis.tex").write_text("mine")
    assert "--force" in hypgraph("export", karate_run, "-f", "projector", "-o", "p").error
    assert "thesis.tex" in hypgraph("export", karate_run, "-f", "projector", "-o", "p", "--force").error
    assert tree(here) == {"p": None, "p/thesis.tex": b"mine"}
    shutil.rmtree(here / "p")
    (here / "p").mkdir()  # an empty folder is welcome
    assert hypgraph("export", karate_run, "-f", "projector", "-o", "p").code == 0
    assert len(tree(here / "p")) == 3


def test_parquet_without_pyarrow_is_one_line(
    karate_run: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("hypgraph.export.tables.import_module", absent)
    assert "pip install 'hypgraph[parquet]'" in hypgraph("export", karate_run, "-o", "e.parquet").error
    assert tree(here) == {}


def test_the_help_names_every_format_and_all_coordinates() -> None:
    text = hypgraph("export", "--help").out
    for word in (*FORMATS, *COORDS):
        assert word in text


def test_new_nodes_are_written_in_every_format_that_needs_no_graph(karate_run: Path, here: Path) -> None:
    pytest.importorskip("pyarrow", reason="parquet is written by PyArrow")
    (here / "new.csv").write_text("a newcomer,0\na newcomer,33\nfriend,a newcomer\n", encoding="utf-8")
    for name in FORMATS[:-1]:
        outcome = hypgraph("embed-new", karate_run, "--edges", "new.csv", "--format", name)
        assert outcome.code == 0
        assert ("--format npz and csv" in outcome.err) == ("1 of 2 ids" in outcome.err) == (name == "word2vec")
    word = (karate_run / "new-embeddings.vec").read_text(encoding="utf-8").splitlines()[1].split()[0]
    assert word == "a%20newcomer"
    assert len(tree(karate_run / "new-embeddings-projector")) == 3
    line = hypgraph("embed-new", karate_run, "--edges", "new.csv", "-o", "e.graphml", "-f", "graphml").error
    assert "unknown format 'graphml'" in line


def test_a_drawing_takes_its_edges_from_the_data_and_far_points_from_its_exact_centres(here: Path) -> None:
    """``hypgraph embed`` leaves no split; its points lie up to √c·radius 36 out."""
    graph = karate()
    folder = RunFolder.create(here / "drawing", HierarchyConfig(data=GraphConfig(name="karate")))
    write_json(folder.summary_file, {})
    angle = np.linspace(0, 6, graph.num_nodes)
    direction = torch.from_numpy(np.stack([np.cos(angle), np.sin(angle)], axis=1))
    center = Polar(torch.linspace(3, 36, graph.num_nodes, dtype=torch.float64), direction)
    loc = PoincareBall(2, c=1.0).from_polar(center).numpy()
    Embeddings(graph.node_id, loc, np.zeros_like(loc), 1.0, "poincare", center).save_npz(folder.embeddings_file)
    assert hypgraph("export", "drawing", "-f", "graphml").err == ""
    found = nx.read_graphml(here / "drawing/embeddings.graphml", node_type=int)
    assert {frozenset(edge) for edge in found.edges} == {frozenset(edge) for edge in graph.edge_index.T.tolist()}
    assert list(dict(found.nodes(data="radius")).values()) == center.radius.tolist()
    assert hypgraph("export", "drawing", "--coords", "tangent", "-o", "t.npz").err == ""
    assert np.linalg.norm(arrays_of(here / "t.npz")["tangent"], axis=1) == pytest.approx(center.radius.numpy())
    (line,) = hypgraph("export", "drawing", "--coords", "klein", "-o", "k.npz").err.splitlines()
    assert f"{int((center.radius > 18).sum())} of 34 nodes lie beyond √c·radius 18" in line
    assert (np.linalg.norm(arrays_of(here / "k.npz")["klein"], axis=1) < 1).all()


@pytest.mark.parametrize("way", ["../karate/embeddings.npz", "link/embeddings.npz"])
def test_the_runs_own_embeddings_are_safe_by_whatever_path(karate_run, here, way):
    (here / "link").symlink_to(karate_run)
    before = (karate_run / "embeddings.npz").read_bytes()
    out = karate_run / way if way.startswith("..") else here / way
    assert (
        "what the run is read from"
        in hypgraph("export", karate_run, "-o", out, "--coords", "polar", "--force").error
    )
    assert (karate_run / "embeddings.npz").read_bytes() == before
