"""Hierarchies drawn in hyperbolic space, from their edges alone."""

from hypgraph.hierarchy.embed import Candidate, HierarchyEmbedding, embed_hierarchy

__all__ = ["Candidate", "HierarchyEmbedding", "embed_hierarchy"]
