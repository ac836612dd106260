"""``hypgraph view``: a page of a run."""

import re

import pytest

from tests.cli.program import hypgraph, tree


def test_the_page_lies_in_the_run_folder_and_may_be_made_again(karate_run):
    before = tree(karate_run)
    for _ in range(2):
        outcome = hypgraph("view", karate_run)
        assert (outcome.code, outcome.err) == (0, "")
    after = tree(karate_run)
    assert set(after) - set(before) == {"disk.html"}
    assert "34 nodes" in outcome.out
    assert b"http://" not in re.sub(rb"http://www\.w3\.org[\w/]*", b"", after["disk.html"])


def test_a_page_elsewhere_replaces_nothing_without_force(karate_run):
    assert hypgraph("view", karate_run, "-o", "disk.html").code == 0
    assert "exists already" in hypgraph("view", karate_run, "-o", "disk.html").error
    assert hypgraph("view", karate_run, "-o", "disk.html", "--force", "--predicted", 0).code == 0


@pytest.mark.parametrize("options", [("--latent", "euclidean"), ("--latent", "lorentz"), ("--decoder", "hybrid")])
def test_every_kind_of_run_has_a_page(options):
    hypgraph("train", "--data", "karate", "--epochs", 2, "--dim", 3, "--out", "run", "-q", *options)
    assert hypgraph("view", "run").code == 0


def test_a_run_whose_data_are_gone_is_shown_without_labels(here):
    (here / "mine.csv").write_text("\n".join(f"{u},{(u + step) % 30}" for u in range(30) for step in (1, 4)))
    hypgraph("train", "--data", "mine.csv", "--epochs", 2, "--dim", 2, "--out", "run", "-q")
    (here / "mine.csv").unlink()
    outcome = hypgraph("view", "run")
    assert outcome.code == 0
    assert "without labels" in outcome.err
    assert "mine.csv" in outcome.err


def test_a_run_without_its_checkpoint_is_shown_without_held_out_edges(karate_run):
    (karate_run / "checkpoint.pt").unlink()
    outcome = hypgraph("view", karate_run)
    assert outcome.code == 0
    assert "without held-out and new edges" in outcome.err


def test_a_page_that_is_called_a_picture_is_refused(karate_run):
    assert "hypgraph plot" in hypgraph("view", karate_run, "-o", "page.png").error
