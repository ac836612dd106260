"""``hypgraph embed-new``: posteriors of unseen nodes, in the files that ``export`` writes."""

import csv
import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from tests.cli.program import hypgraph, tree

ROOT = Path(__file__).resolve().parents[2]
EDGES = "newcomer,0\nnewcomer,33\nfriend,newcomer\n0,1\n"


@pytest.fixture
def edges(here: Path) -> Path:
    path = here / "new.csv"
    path.write_text(EDGES, encoding="utf-8")
    return path


def arrays_of(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def test_the_file_stands_in_the_run_and_has_the_form_of_its_embeddings(karate_run: Path, edges: Path) -> None:
    before = tree(karate_run)
    outcome = hypgraph("embed-new", karate_run, "--edges", edges)
    assert (outcome.code, outcome.err) == (0, "")
    assert "2 new nodes (newcomer, friend), poincare d=3" in outcome.out
    after = tree(karate_run)
    assert set(after) - set(before) == {"new-embeddings.npz"}
    assert before.items() <= after.items()
    new, old = arrays_of(karate_run / "new-embeddings.npz"), arrays_of(karate_run / "embeddings.npz")
    assert list(new) == list(old)
    assert new["node_id"].tolist() == ["newcomer", "friend"]
    for name in ("loc", "scale"):
        assert new[name].dtype == old[name].dtype
        assert new[name].shape == (2, 3)
        assert np.isfinite(new[name]).all()
    assert (new["c"], new["manifold"]) == (old["c"], old["manifold"])
    assert np.linalg.norm(new["loc"], axis=1).max() < 1


def test_csv_holds_the_same_numbers(karate_run: Path, edges: Path, here: Path) -> None:
    assert hypgraph("embed-new", karate_run, "--edges", edges).code == 0
    assert hypgraph("embed-new", karate_run, "--edges", edges, "--out", "e.csv").code == 0
    assert hypgraph("embed-new", karate_run, "--edges", edges, "--format", "csv").code == 0
    assert (karate_run / "new-embeddings.csv").read_bytes() == (here / "e.csv").read_bytes()
    with (here / "e.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    arrays = arrays_of(karate_run / "new-embeddings.npz")
    assert [row["node_id"] for row in rows] == ["newcomer", "friend"]
    assert [[float(row[f"loc_{k}"]) for k in range(3)] for row in rows] == arrays["loc"].tolist()
    assert [[float(row[f"scale_{k}"]) for k in range(3)] for row in rows] == arrays["scale"].tolist()


def test_nodes_that_no_path_joins_to_the_run_are_told_of(karate_run: Path, edges: Path) -> None:
    edges.write_text("near,0\nfar,near\nlost,stray\nstray,gone\n", encoding="utf-8")
    outcome = hypgraph("embed-new", karate_run, "--edges", edges)
    assert outcome.code == 0
    assert outcome.err.count("\n") == 1
    assert "3 new nodes (lost, …) have neither features nor a path to a node of the run" in outcome.err
    assert "5 new nodes (near, far, lost, stray, gone), " in outcome.out
    edges.write_text("".join(f"n{i},0\n" for i in range(6)), encoding="utf-8")
    assert (
        "6 new nodes (n0, n1, n2, n3, n4, …), "
        in hypgraph("embed-new", karate_run, "--edges", edges, "--force").out
    )


def test_a_file_is_replaced_only_by_force(karate_run: Path, edges: Path) -> None:
    assert hypgraph("embed-new", karate_run, "--edges", edges).code == 0
    first = (karate_run / "new-embeddings.npz").read_bytes()
    edges.write_text("guest,5\n", encoding="utf-8")
    line = hypgraph("embed-new", karate_run, "--edges", edges).error
    assert "new-embeddings.npz" in line
    assert "--force" in line
    assert (karate_run / "new-embeddings.npz").read_bytes() == first
    assert hypgraph("embed-new", karate_run, "--edges", edges, "--force").code == 0
    assert arrays_of(karate_run / "new-embeddings.npz")["node_id"].tolist() == ["guest"]


def test_what_is_left_out_is_told_beside_the_result(karate_run: Path, edges: Path) -> None:
    edges.write_text("new,0\n0,9\n0,12\nnew,new\n", encoding="utf-8")
    outcome = hypgraph("embed-new", karate_run, "--edges", edges)
    assert outcome.code == 0
    assert "1 new node (new), " in outcome.out
    assert len(outcome.err.splitlines()) == 2
    assert re.search(r"edges between nodes of the run are left out", outcome.err)


@pytest.mark.usefixtures("edges")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["--features FILE or --edges FILE"]),
        (["--edges", "nowhere.csv"], ["nowhere.csv", "no such file"]),
        (["--features", "table.csv"], ["sees no features"]),
        (["--edges", "new.csv", "--format", "xlsx"], ["format", "'xlsx'", "npz", "csv"]),
        (["--edges", "new.csv", "--out", "."], ["--out", "folder"]),
        (["--edges", "new.csv", "--out", "nowhere/e.npz"], ["nowhere", "no folder"]),
        (["--edges", "new.csv", "--out", "x" * 300], ["too long"]),
        (["--edges", "new.csv", "--source-col", "who"], ["--target-col"]),
        (["--source-col", "1", "--target-col", "2"], ["--edges FILE"]),
        (["--edges", "old.csv"], ["no new node"]),
        (["--edges", "empty.csv"], ["empty"]),
        (["--edges", "lonely.csv"], ["'hermit'", "neither"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(
    options: list[str], words: list[str], karate_run: Path, here: Path
) -> None:
    (here / "table.csv").write_text("id,age\nnew,3\n", encoding="utf-8")
    (here / "old.csv").write_text("0,9\n", encoding="utf-8")
    (here / "empty.csv").write_text("", encoding="utf-8")
    (here / "lonely.csv").write_text("hermit,hermit\nnew,3\n", encoding="utf-8")
    before = tree(here), tree(karate_run)
    line = hypgraph("embed-new", karate_run, *options).error
    for word in words:
        assert word in line
    assert (tree(here), tree(karate_run)) == before


def test_a_disk_that_is_full_is_one_line_and_leaves_no_part_of_a_file(
    karate_run: Path, edges: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert "No space left" in hypgraph("embed-new", karate_run, "--edges", edges, "--out", "e.npz").error
    assert list(tree(here)) == ["new.csv"]


def test_a_run_of_several_seeds_names_one(here: Path, edges: Path) -> None:
    assert hypgraph("train", "--data", "karate", "--epochs", 2, "--seeds", 2, "--out", "runs", "-q").code == 0
    assert "runs/seed-0" in hypgraph("embed-new", "runs", "--edges", edges).error
    assert hypgraph("embed-new", "runs/seed-1", "--edges", edges).code == 0
    assert (here / "runs/seed-1/new-embeddings.npz").is_file()


def test_the_commands_of_the_readme_run(here: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^## New nodes\n.*?```console\n(.*?)```", text, re.MULTILINE | re.DOTALL)
    assert block is not None
    done = []
    for line in block[1].splitlines():
        words = shlex.split(line.removeprefix("$ "), comments=True)
        if words[0] == "printf":
            assert words[2] == ">"
            (here / words[3]).write_text(words[1].replace("\\n", "\n"), encoding="utf-8")
        else:
            assert words[0] == "hypgraph"
            outcome = hypgraph(*words[1:])
            assert outcome.code == 0, outcome
            done.append(words[1])
    assert done == ["train", "embed-new"]
    with next(here.glob("*/new-embeddings.npz")).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        assert arrays["node_id"].tolist() == ["newcomer", "friend"]
