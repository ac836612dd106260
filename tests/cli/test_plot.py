"""``hypgraph plot``: a figure of a run."""

import numpy as np
import pytest

from tests.cli.program import hypgraph

STARTS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}


@pytest.mark.parametrize("ending", STARTS)
def test_the_figure_is_of_the_kind_that_its_name_says(karate_run, here, ending):
    outcome = hypgraph("plot", karate_run, "-o", f"karate.{ending}")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"karate.{ending}\n", "")
    assert (here / f"karate.{ending}").read_bytes().startswith(STARTS[ending])


def test_the_same_run_gives_the_same_bytes(karate_run, here):
    for name in ("one.svg", "two.svg"):
        hypgraph("plot", karate_run, "-o", name)
    assert (here / "one.svg").read_bytes() == (here / "two.svg").read_bytes()


def test_it_says_what_it_shows(karate_run, here):
    hypgraph("plot", karate_run, "-o", "karate.svg", "--colour", "degree")
    text = (here / "karate.svg").read_text()
    for words in ("karate: test AUC", "d = 3", "projected from 3 dimensions"):
        assert words in text


def test_labels_are_the_ids_of_the_nodes_with_most_edges(karate_run, monkeypatch):
    drawn = []
    monkeypatch.setattr("hypgraph.viewer.save", lambda figure, _path: drawn.append(figure))
    for count in (0, 1, 40):
        assert hypgraph("plot", karate_run, "-o", "karate.png", "--labels", count).code == 0
    without, one, all_of_them = ([text.get_text() for text in figure.axes[0].texts] for figure in drawn)
    with np.load(karate_run / "split.npz") as split:
        hub = int(np.bincount(split["train_edge_index"].ravel()).argmax())
    assert [word for word in one if word not in without] == [str(hub)]
    assert len(all_of_them) > len(without) + 10


@pytest.mark.parametrize("posterior", ["wrapped", "riemannian", "rown"])
def test_posteriors_of_every_family_can_be_drawn(posterior):
    hypgraph(
        "train", "--data", "karate", "--epochs", 2, "--dim", 2, "--posterior", posterior, "--out", "run", "-q"
    )
    assert hypgraph("plot", "run", "-o", "run.png", "--posteriors").code == 0


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--colour", "colour"), "unknown colour"),
        (("--layout", "round"), "unknown layout"),
        (("--posteriors",), "two dimensions"),
        (("--size", "-1"), "size"),
        (("--labels", "-1"), "--labels -1"),
    ],
)
def test_a_wrong_option_is_one_line_and_no_file(karate_run, here, options, words):
    assert words in hypgraph("plot", karate_run, "-o", "x.png", *options).error
    assert not list(here.iterdir())


def test_an_unknown_ending_and_a_file_that_stands_there_are_refused(karate_run, here):
    assert "picture format" in hypgraph("plot", karate_run, "-o", "x.jpeg2").error
    (here / "x.png").write_text("mine")
    assert "exists already" in hypgraph("plot", karate_run, "-o", "x.png").error
    assert (here / "x.png").read_text() == "mine"
