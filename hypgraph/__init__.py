"""Representations of graphs that have a hierarchy in them.

Importing this package imports none of its parts, so that ``hypgraph --help`` answers at once::

    from hypgraph.manifolds import PoincareBall
    from hypgraph.distributions import WrappedNormal
"""

__version__ = "0.1.0"
