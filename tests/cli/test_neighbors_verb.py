"""``hypgraph neighbors``: the nodes nearest to a node."""

import json

import numpy as np

from tests.cli.program import hypgraph


def ball_distances(run, row):
    """Arcosh of the textbook formula in ball coordinates, good enough at the radii of karate."""
    arrays = np.load(run / "embeddings.npz")
    x, c = arrays["loc"], float(arrays["c"])
    gaps = 1 - c * (x**2).sum(1)
    square = ((x - x[row]) ** 2).sum(1)
    return np.arccosh(1 + 2 * c * square / (gaps * gaps[row])) / np.sqrt(c)


def test_the_nearest_nodes_come_in_order_with_their_distances(karate_run):
    outcome = hypgraph("neighbors", karate_run, "--node", 3, "--node", 33, "-k", 4, "--json")
    found = json.loads(outcome.out)
    for node in (3, 33):
        distance = ball_distances(karate_run, node)
        expected = [int(other) for other in np.argsort(distance) if other != node][:4]
        assert [entry["node"] for entry in found[str(node)]] == expected
        assert np.allclose([entry["distance"] for entry in found[str(node)]], distance[expected], rtol=1e-6)


def test_labels_stand_beside_the_nodes(karate_run):
    lines = hypgraph("neighbors", karate_run, "--node", 0).out.splitlines()
    assert lines[0] == "0: its 10 nearest by geodesic distance"
    assert len(lines) == 11
    assert {line.split(maxsplit=2)[2] for line in lines[1:]} <= {"Mr. Hi", "Officer", "0", "1", "2", "3"}


def test_more_than_there_are_gives_all_others(karate_run):
    assert len(json.loads(hypgraph("neighbors", karate_run, "--node", 0, "-k", 99, "--json").out)["0"]) == 33


def test_an_unknown_node_is_one_line_with_ids_like_it(karate_run):
    assert "--node 3x: no such node" in hypgraph("neighbors", karate_run, "--node", "3x").error
    assert "look like" in hypgraph("neighbors", karate_run, "--node", "anna").error


def test_a_run_of_several_seeds_names_one_of_them():
    hypgraph("train", "--data", "karate", "--epochs", 2, "--dim", 2, "--seeds", 2, "--out", "two", "-q")
    for verb in (("neighbors", "--node", 0), ("view",), ("export", "-o", "x.csv")):
        assert "two/seed-0" in hypgraph(verb[0], "two", *verb[1:]).error
