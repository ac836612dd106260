"""Node embeddings as files."""

from hypgraph.export.coordinates import COORDINATES, OWN_COORDINATES, Located, locate
from hypgraph.export.embeddings import Embeddings
from hypgraph.export.formats import EXPORT_FORMATS, Format, format_by_ending, save_embeddings
from hypgraph.export.graph import ExportedGraph

__all__ = [
    "COORDINATES",
    "EXPORT_FORMATS",
    "OWN_COORDINATES",
    "Embeddings",
    "ExportedGraph",
    "Format",
    "Located",
    "format_by_ending",
    "locate",
    "save_embeddings",
]
