"""Small random graphs for the tests of this folder; the last nodes are isolated."""

import networkx as nx
import numpy as np
from hypothesis import strategies as st


@st.composite
def random_graphs(draw: st.DrawFn) -> nx.Graph:
    """Sparse enough to have several components; always two isolated nodes at the end."""
    connected_part = draw(st.integers(2, 16))
    density = draw(st.sampled_from([0.05, 0.15, 0.5]))
    graph = nx.gnp_random_graph(connected_part, density, seed=draw(st.integers(0, 2**16)))
    graph.add_nodes_from([connected_part, connected_part + 1])
    return graph


def edges_of(graph: nx.Graph) -> np.ndarray:
    return np.array(list(graph.edges), dtype=np.int64).reshape(-1, 2).T


def all_pairs(num_nodes: int) -> np.ndarray:
    return np.stack(np.triu_indices(num_nodes, k=1))
