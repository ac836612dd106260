"""GraphML, read back by NetworkX."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import given

from hypgraph.exceptions import ConfigError
from hypgraph.export import COORDINATES, ExportedGraph, locate, save_embeddings
from tests.export.examples import ID_LISTS, STRANGE_IDS, embeddings

EDGES = torch.tensor([[0, 0, 1, 4], [1, 2, 3, 2]])
LABELS: list[str | None] = ["<b>&", None, "Łódź", "two\r\nlines", "bell\x07", *["red"] * (len(STRANGE_IDS) - 5)]


@pytest.mark.parametrize("directed", [False, True])
def test_networkx_reads_the_edges_and_the_kind_of_graph(directed: bool, tmp_path: Path) -> None:
    path = tmp_path / "e.graphml"
    edges = torch.cat([EDGES, EDGES.flip(0)[:, :1]], dim=1) if directed else EDGES
    save_embeddings(embeddings(range(6)), path, file_format="graphml", graph=ExportedGraph(edges, directed))
    graph = nx.read_graphml(path, node_type=int)
    assert graph.is_directed() == directed
    assert not graph.is_multigraph()
    assert list(graph) == list(range(6))  # node 5 has no edge
    assert graph.number_of_edges() == edges.shape[1]
    assert all(graph.has_edge(u, v) for u, v in edges.T.tolist())
    assert graph.has_edge(2, 4) != directed


@pytest.mark.parametrize("coords", [None, *COORDINATES])
def test_networkx_reads_the_attributes_of_every_node(coords: str | None, tmp_path: Path) -> None:
    path, one = tmp_path / "e.graphml", embeddings(STRANGE_IDS, exact=True, c=1.3)
    notes = save_embeddings(
        one, path, file_format="graphml", coords=coords, graph=ExportedGraph(EDGES, labels=LABELS)
    )
    graph = nx.read_graphml(path)
    assert [unquote(node) for node in graph] == list(STRANGE_IDS)
    assert (graph.graph["c"], graph.graph["manifold"], graph.graph["coords"]) == (
        1.3,
        "poincare",
        coords or "ball",
    )
    prefixes = {None: "loc", "ball": "loc", "polar": "direction"}
    prefix = prefixes.get(coords, coords)
    vectors = locate(one, coords).vectors()[:, 1 if coords == "polar" else 0 :]
    for row, (_, found) in enumerate(graph.nodes(data=True)):
        assert [found[f"{prefix}_{k}"] for k in range(vectors.shape[1])] == vectors[row].tolist()
        assert [found[f"scale_{k}"] for k in range(3)] == one.scale[row].tolist()
        assert found["radius"] == one.polar().radius[row].item()
        assert ("x" in found, found.get("label") is None) == (False, LABELS[row] is None)
        if LABELS[row] is not None:
            assert unquote(found["label"]) == LABELS[row]
    assert [note.split(": ")[1].split(" are")[0] for note in notes] == [
        f"3 of {len(STRANGE_IDS)} ids",
        f"1 of {len(STRANGE_IDS)} labels",
    ]


def test_points_of_the_plane_also_have_x_and_y(tmp_path: Path) -> None:
    path = tmp_path / "e.graphml"
    one, edges = embeddings(dim=2), ExportedGraph(EDGES[:, :2])
    for coords, there in ((None, True), ("klein", True), ("tangent", True), ("polar", False), ("lorentz", False)):
        save_embeddings(one, path, file_format="graphml", coords=coords, graph=edges)
        for row, (_, found) in enumerate(nx.read_graphml(path).nodes(data=True)):
            assert ("x" in found) == there
            if there:
                assert [found["x"], found["y"]] == locate(one, coords).vectors()[row].tolist()


def test_a_flat_space_has_its_coordinates_and_radius_too(tmp_path: Path) -> None:
    one = embeddings(manifold="euclidean")
    save_embeddings(one, tmp_path / "e.graphml", file_format="graphml", graph=ExportedGraph(EDGES[:, :2]))
    graph = nx.read_graphml(tmp_path / "e.graphml")
    assert (graph.graph["c"], graph.graph["coords"]) == (0.0, "flat")
    radii = [found["radius"] for _, found in graph.nodes(data=True)]
    assert radii == pytest.approx(np.linalg.norm(one.loc, axis=1).tolist(), rel=1e-15)


@given(ids=ID_LISTS)
def test_any_id_comes_back(tmp_path_factory: pytest.TempPathFactory, ids: list[Any]) -> None:
    path = tmp_path_factory.mktemp("export") / "e.graphml"
    edges = torch.tensor([[0], [len(ids) - 1]]) if len(ids) > 1 else torch.empty(2, 0, dtype=torch.int64)
    notes = save_embeddings(
        embeddings(ids, dim=2), path, file_format="graphml", graph=ExportedGraph(edges, directed=True)
    )
    graph = nx.read_graphml(path)
    words = [str(id_) for id_ in ids]
    assert [unquote(node) if notes else node for node in graph] == words
    ends = [(unquote(u), unquote(v)) if notes else (u, v) for u, v in graph.edges]
    assert ends == ([(words[0], words[-1])] if len(ids) > 1 else [])


def test_without_a_graph_it_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="needs the edges"):
        save_embeddings(embeddings(), tmp_path / "e.graphml", file_format="graphml")
    assert list(tmp_path.iterdir()) == []
