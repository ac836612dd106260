"""The data sets that come with the package."""

import zipfile
import zlib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch

from hypgraph.data.graph import Graph
from hypgraph.exceptions import DataError

__all__ = ["load_bundled"]


def load_bundled(name: str) -> Graph:
    """The bundled data set ``name``; ``datasets/README.md`` describes the file's arrays.

    Raises:
        DataError: if its file is missing or damaged.
    """
    try:
        with _bundled_file(name).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            counts, columns = arrays["feature_count"], arrays["feature_column"]
            features = sp.csr_array(
                (
                    np.ones(len(columns), dtype=np.float32),
                    columns.astype(np.int32),
                    np.concatenate([[0], np.cumsum(counts, dtype=np.int32)], dtype=np.int32),
                ),
                shape=(len(counts), int(arrays["num_features"])),
            )
            return Graph(
                name=name,
                edge_index=torch.from_numpy(arrays["edge_index"].astype(np.int64)),
                node_id=arrays["node_id"].astype(np.int64),
                features=features,
                labels=arrays["labels"].astype(np.int64),
                label_names=tuple(arrays["label_names"].tolist()),
                self_loops_dropped=int(arrays["self_loops_dropped"]),
                duplicates_dropped=int(arrays["duplicates_dropped"]),
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(
            f"bundled data set '{name}' is missing or damaged ({error}); install hypgraph again"
        ) from None


def _bundled_file(name: str) -> Traversable:
    inside = files("hypgraph").joinpath("_bundled", name, f"{name}.npz")
    if inside.is_file():
        return inside
    # An editable install has the package in the checkout, and the data beside it.
    return Path(__file__).resolve().parents[2] / "datasets" / name / f"{name}.npz"
