"""Nearest neighbours by geodesic distance: exact from bounds that are proven, or approximate from a graph.

Inner products on the hyperboloid order points by their distance, but an index built for inner products finds
few of the nearest: it prefers long vectors, which are those far out. Here the exact search takes products for
bounds only, and the approximate one walks a graph that is built with the geodesic distance itself.
"""

from hypgraph.neighbors.neighbors import METHODS, Neighbors

__all__ = ["METHODS", "Neighbors"]
