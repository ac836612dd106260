"""Estimators with scikit-learn's contract: from a graph to a point, and an uncertainty, for each node.

>>> import networkx as nx
>>> from hypgraph.estimators import PoincareEmbedder
>>> tree = nx.balanced_tree(2, 4)
>>> embedder = PoincareEmbedder(random_state=0).fit(tree)
>>> embedder.embedding_.shape, embedder.map_ > 0.99
((31, 2), True)
"""

from hypgraph.estimators.poincare_embedder import PoincareEmbedder
from hypgraph.estimators.vgae_embedder import VGAEEmbedder

__all__ = ["PoincareEmbedder", "VGAEEmbedder"]
