"""Node embeddings as files."""

from hypgraph.export.embeddings import EXPORT_FORMATS, Embeddings

__all__ = ["EXPORT_FORMATS", "Embeddings"]
