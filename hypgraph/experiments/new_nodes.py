"""Posteriors of nodes that a run has not seen, from its trained encoder."""

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from hypgraph.data import Graph, ReadOptions
from hypgraph.data.edge_blocks import are_integers
from hypgraph.data.edge_list import cut, open_text
from hypgraph.data.feature_weights import inverse_document_frequency, is_binary, normalise_rows, scale_columns
from hypgraph.data.graph_files import read_graph, read_parquet
from hypgraph.data.node_rows import ID_COLUMNS, LABEL_COLUMNS, NodeRows, read_node_rows
from hypgraph.distributions import CenteredDistribution
from hypgraph.exceptions import ConfigError, DataError
from hypgraph.experiments.link_prediction import LinkPrediction, open_run
from hypgraph.export import Embeddings
from hypgraph.models import VGAE
from hypgraph.nn import SparseMatrix, normalised_adjacency
from hypgraph.run_folder import RunFolder
from hypgraph.training import input_features, limited_threads
from hypgraph.training.input_features import INPUTS

__all__ = ["NewNodes", "embed_new", "encode_with", "read_new_nodes"]


@dataclass(frozen=True, eq=False)
class NewNodes:
    """Nodes to add to the N nodes of a run; new node i has the number N + i.

    Attributes:
        node_id: ``[n]``, of the type of the run's ids where that is possible, else strings.
        features: float32 ``[n, F]`` as they are in the data, before any weighting, in the columns of training;
            zero where nothing is known. None where the encoder sees no features of the data.
        edge_index: int64 ``[2, E]``, edges with a new node at one end or both.
        notes: for the user, one line each: what has been left out.
    """

    node_id: NDArray[Any]
    features: csr_array | None
    edge_index: torch.Tensor
    notes: tuple[str, ...] = ()


def embed_new(
    folder: RunFolder,
    features: Path | None,
    edges: Path | None,
    *,
    source_column: str | None = None,
    target_column: str | None = None,
    on_note: Callable[[str], object] | None = None,
) -> Embeddings:
    """Posteriors of unseen nodes, by the best weights of a finished run.

    The encoder runs once over the training edges of the run together with the new ones; held-out edges stay out.
    Features are weighted as in training, by the document frequencies of the trained graph. Only the new nodes are
    reported: the posteriors of the old ones stay those of the run, although their neighbourhoods have grown.

    Args:
        folder: a finished run of one seed.
        features: a table of the new nodes, see :func:`read_new_nodes`; without it they are the ids of ``edges``
            that the run does not know, their own input is zero, and only their neighbours speak.
        edges: edges of the new nodes, to old ones or among themselves; without it features alone speak.
        source_column: of ``edges``, where it has more than two columns.
        target_column: the same for the target.
        on_note: is told what has been left out, a line each.

    Returns:
        A row for each new node: in the order of the table, else of first appearance in the edges.

    Raises:
        HypgraphError: if the run is not finished, has several seeds, or its data have changed; or as
            :func:`read_new_nodes`.
    """
    if features is None and edges is None:
        raise ConfigError("new nodes need --features FILE or --edges FILE, or both")
    config = folder.config()
    folder.check_one_seed()
    folder.summary()
    run = open_run(folder)
    run.restore(folder)
    options = ReadOptions(source_column, target_column, directed=run.graph.directed)
    new = read_new_nodes(run, features, edges, options=options)
    with limited_threads(config.training.threads, num_nodes=run.graph.num_nodes + len(new.node_id)):
        posterior = encode_with(run, run.trainer.best_model(), new)
    everything = np.arange(run.graph.num_nodes + len(new.node_id))
    embeddings = Embeddings.from_posterior(posterior, everything)
    for note in new.notes:
        if on_note is not None:
            on_note(note)
    return replace(embeddings.take(slice(run.graph.num_nodes, None)), node_id=new.node_id)


@torch.no_grad()
def encode_with(run: LinkPrediction, model: VGAE, new: NewNodes) -> CenteredDistribution:
    """Posteriors of batch shape ``[N + n]``: of the run's nodes among the new ones, then of these.

    What depends on the edges is computed afresh from training edges and new edges: the adjacency, and degrees
    where the encoder sees them. So a node of the training graph, were it taken out and put back here, would get
    the posterior that it had.

    Args:
        run: the graph, the split and the inputs that ``model`` was trained on.
        model: in evaluation mode, on the device of ``run``.
        new: the nodes to add.
    """
    graph = run.graph
    number = graph.num_nodes + len(new.node_id)
    pairs = torch.cat([run.split.train_edge_index, new.edge_index], dim=1)
    whole = Graph.from_pairs(graph.name, pairs, node_id=np.arange(number), directed=graph.directed)
    device = run.task.positive.device
    adjacency = normalised_adjacency(whole.edge_index, number, normalisation=run.config.model.normalisation)
    inputs = SparseMatrix.from_scipy(_inputs(run, new, whole))
    return model.encode(inputs.to(device), adjacency.to(device))


def _inputs_name(run: LinkPrediction) -> str:
    features = run.config.data.features
    return features if isinstance(features, str) else "own"


def _own_features(run: LinkPrediction) -> csr_array | None:
    """The features of the data, if the encoder sees them."""
    return run.graph.features if "own" in INPUTS[_inputs_name(run)] else None


def _inputs(run: LinkPrediction, new: NewNodes, whole: Graph) -> csr_array:
    """What the encoder sees, ``[N + n, F]``: own features, then degrees or the zeros of vectors never learnt."""
    matrix = run.task.features.matrix.cpu()
    parts = (part.numpy() for part in (matrix.values(), matrix.col_indices(), matrix.crow_indices()))
    trained, own = csr_array(tuple(parts), shape=tuple(matrix.shape)), _own_features(run)
    rows = csr_array((len(new.node_id), 0 if own is None else own.shape[1]))
    if own is not None and new.features is not None:
        weighted = new.features
        if is_binary(own):
            weighted = scale_columns(weighted, inverse_document_frequency(own))
        rows = normalise_rows(weighted)
    width = rows.shape[1]
    if _inputs_name(run) == "degree":
        degree = _degree_inputs(whole, trained[:, width:])
        return csr_array(scipy.sparse.hstack([scipy.sparse.vstack([trained[:, :width], rows]), degree]))
    unlearnt = csr_array((rows.shape[0], trained.shape[1] - width))
    return csr_array(scipy.sparse.vstack([trained, scipy.sparse.hstack([rows, unlearnt])]))


def _degree_inputs(whole: Graph, trained: csr_array) -> csr_array:
    """The degree classes of all nodes, in the columns of training; above its last class stands that class.

    Each row has one entry for the degree, or where edges have directions one for each of the two.
    """
    kinds = 2 if whole.directed else 1
    now, before = input_features(whole, whole.edge_index, "degree"), trained
    classes, known = (
        np.sort(csr_array(part).indices.reshape(-1, kinds), axis=1).astype(np.int64) for part in (now, before)
    )
    if kinds == 2:  # the second block of columns begins behind the first, which is as wide as its last class
        classes[:, 1] -= classes[:, 0].max() + 1
        start = known[:, 0].max() + 1
        classes[:, 0] = np.minimum(classes[:, 0], start - 1)
        classes[:, 1] = np.minimum(classes[:, 1] + start, known[:, 1].max())
    else:
        classes = np.minimum(classes, known.max())
    rows = np.repeat(np.arange(whole.num_nodes), kinds)
    shape = whole.num_nodes, trained.shape[1]
    return csr_array((np.ones(len(rows)), (rows, classes.ravel())), shape=shape)


def read_new_nodes(
    run: LinkPrediction, features: Path | None, edges: Path | None, *, options: ReadOptions | None = None
) -> NewNodes:
    """The nodes of two files, matched with those of a run by the ids as they are written.

    - ``features`` is a table such as :func:`~hypgraph.data.node_table.read_node_table` takes. Its columns are
      those of the training features, in any order where both tables name them, else in that order. Rows of nodes
      that the run has are left out if they are as they were in training, and refused if not. In a matrix without
      ids row i is the node with the integer id i.
    - ``edges`` is a file such as :func:`~hypgraph.data.read_graph` takes. Edges between two nodes of the run are
      left out: the trained graph stands.

    Args:
        run: what the nodes are new to.
        features: the table, or None.
        edges: the edges, or None.
        options: how ``edges`` is read.

    Raises:
        ConfigError: if there is a table, but the encoder sees no features.
        DataError: if a file cannot be read, there is no new node in it, the columns are not those of training, an
            edge names a node that neither run nor table has, or of a new node neither a feature other than 0 nor
            an edge is given.
    """
    known = {str(node): number for number, node in enumerate(run.graph.node_id.tolist())}
    graph = None if edges is None else read_graph(edges, options=options)
    own = _own_features(run)
    notes: list[str] = []
    if features is not None:
        words, rows = _table(run, features, known, notes)
    else:
        assert graph is not None
        words = [word for word in map(str, graph.node_id.tolist()) if word not in known]
        if not words:
            raise DataError(f"{edges}: no new node in it; all its ids are nodes of the run")
        rows = None if own is None else csr_array((len(words), own.shape[1]), dtype=np.float32)
        if own is not None:
            notes.append("no table of features is given; those of the new nodes are taken as 0")
    numbers = known | {word: len(known) + i for i, word in enumerate(words)}
    pairs = torch.zeros((2, 0), dtype=torch.int64)
    if graph is not None:
        pairs = _new_edges(graph, edges, numbers, run, notes)
    _refuse_unknown(words, rows, pairs - len(known))
    if features is None:
        notes += _without_path(words, pairs, len(known))
    return NewNodes(_ids(words, run.graph.node_id), rows, pairs, tuple(notes))


def _ids(words: list[str], old: NDArray[Any]) -> NDArray[Any]:
    """As integers where the run's are and these can be."""
    integers = old.dtype.kind in "iu" and are_integers(words)
    return np.array(words, dtype=np.int64 if integers else np.str_)


def _new_edges(
    graph: Graph, path: Path | None, numbers: dict[str, int], run: LinkPrediction, notes: list[str]
) -> torch.Tensor:
    """The edges of ``graph`` with a new end, in the numbers of run and new nodes."""
    old = run.graph.num_nodes
    ids = graph.node_id.tolist()
    place = torch.tensor([numbers.get(str(node), -1) for node in ids], dtype=torch.int64)
    pairs = place[graph.edge_index]
    unknown = (pairs < 0).any(dim=0).nonzero()
    if len(unknown):
        edge = graph.edge_index[:, unknown[0, 0]].tolist()
        node = next(ids[end] for end in edge if place[end] < 0)
        raise DataError(
            f"{path}: the node '{cut(str(node))}' is neither one of the run nor in the table of features; "
            "add its row there, or leave out its edges"
        )
    inside = (pairs < old).all(dim=0)
    trained = run.split.train_edge_index
    keys, trained_keys = (
        (ends if run.graph.directed else ends.sort(dim=0).values) for ends in (pairs[:, inside], trained)
    )
    fresh = ~torch.isin(keys[0] * old + keys[1], trained_keys[0] * old + trained_keys[1])
    if int(fresh.sum()):
        notes.append(
            f"{path}: {int(fresh.sum())} edges between nodes of the run are left out; it was not trained on them"
        )
    dropped = graph.self_loops_dropped + graph.duplicates_dropped
    if dropped:
        notes.append(f"{path}: {dropped} self-loops and duplicates are left out")
    return pairs[:, ~inside]


def _refuse_unknown(words: list[str], rows: csr_array | None, ends: torch.Tensor) -> None:
    """Refuses a new node of which nothing is given; ``ends`` count from the first new node."""
    given = np.zeros(len(words), dtype=np.bool_)
    given[ends[ends >= 0].numpy()] = True
    if rows is not None:
        given[rows.nonzero()[0]] = True
    nothing = np.flatnonzero(~given)
    if len(nothing):
        raise DataError(
            f"the new node '{cut(words[nothing[0]])}' has neither a feature other than 0 nor an edge to another "
            f"node ({len(nothing)} of {len(words)} have not); nothing is known of it: leave it out"
        )


def _without_path(words: list[str], pairs: torch.Tensor, old: int) -> list[str]:
    """A note on the new nodes that no path joins to an old one; numbers below ``old`` are old nodes."""
    ends = (pairs - old + 1).clamp(min=0).numpy()  # all old nodes are node 0
    size = len(words) + 1
    graph = csr_array((np.ones(ends.shape[1]), (ends[0], ends[1])), shape=(size, size))
    part = connected_components(graph, directed=False)[1]
    lost = np.flatnonzero(part[1:] != part[0])
    if not len(lost):
        return []
    first = cut(words[lost[0]]) + ", …" * (len(lost) > 1)
    return [
        f"{len(lost)} new node{'s' * (len(lost) > 1)} ({first}) have neither features nor a path to a node of the "
        "run: nothing tells where they belong"
    ]


def _table(
    run: LinkPrediction, path: Path, known: dict[str, int], notes: list[str]
) -> tuple[list[str], csr_array]:
    """Ids and features of the new nodes of a table."""
    own = _own_features(run)
    if own is None:
        raise ConfigError(
            f"--features {path}: the encoder of the run sees no features of nodes; leave it out and give --edges"
        )
    rows = read_node_rows(path)
    if rows.features is None:
        raise DataError(f"{path}: has no columns of features; the run was trained on {own.shape[1]}")
    if rows.ids_are_rows:
        _check_ids_are_rows(path, len(rows.ids), run.graph.node_id)
    table = _as_in_training(run, path, rows, own)
    place = np.array([known.get(word, -1) for word in rows.ids], dtype=np.int64)
    old = np.flatnonzero(place >= 0)
    changed = csr_array(table[old] - own[place[old]])
    changed.eliminate_zeros()
    differing = old[np.diff(changed.indptr) > 0]
    if len(differing):
        raise DataError(
            f"{path}: '{cut(rows.ids[differing[0]])}' is a node of the run already, and its features are not "
            "those of training; give a new node another id, or leave out its row"
        )
    if len(old) == len(rows.ids):
        raise DataError(f"{path}: no new node in it; all {len(old)} ids are nodes of the run")
    if len(old):
        notes.append(f"{path}: {len(old)} rows are left out; they are of nodes of the run, as in training")
    new = np.flatnonzero(place < 0)
    return [rows.ids[i] for i in new.tolist()], csr_array(table[new])


def _check_ids_are_rows(path: Path, rows: int, node_id: NDArray[Any]) -> None:
    without_ids = f"{path}: a matrix has no ids, so its row i is the node with the integer id i, from 0"
    instead = "use a table with a column of ids (.csv, .tsv, .parquet)"
    if node_id.dtype.kind not in "iu":
        raise DataError(f"{without_ids}; the ids of the run are strings; {instead}")
    if node_id.min() < 0 or node_id.max() >= rows:
        ids = f"the ids of the run are {node_id.min()} to {node_id.max()}"
        raise DataError(f"{without_ids}; it has {rows} rows, and {ids}; add new rows behind those, or {instead}")


def _as_in_training(run: LinkPrediction, path: Path, rows: NodeRows, own: csr_array) -> csr_array:
    """The features of a table in the columns of training."""
    assert rows.features is not None
    count, expected = rows.features.shape[1], own.shape[1]
    trained_on = run.config.data.features
    names = _feature_names(path)
    known = _feature_names(trained_on) if isinstance(trained_on, Path) else None
    if names is None or known is None:
        if count != expected:
            raise DataError(f"{path}: {count} columns of features; the run was trained on {expected}")
        return rows.features
    for missing in (name for name in known if name not in set(names)):
        raise DataError(
            f"{path}: there is no column '{cut(missing)}'; expected are the {expected} columns of {trained_on}"
        )
    for extra in (name for name in names if name not in set(known)):
        raise DataError(
            f"{path}: the run was not trained on a column '{cut(extra)}'; expected are the {expected} columns of "
            f"{trained_on}"
        )
    column = {name: number for number, name in enumerate(names)}
    return csr_array(rows.features[:, [column[name] for name in known]])


def _feature_names(path: Path) -> list[str] | None:
    """The names of the features in a table that has been read without an error; None for a matrix."""
    kind = path.suffix.lower()
    if kind in (".npz", ".npy"):
        return None
    if kind == ".parquet":
        names = [name for name in read_parquet(path).schema_arrow.names if not name.startswith("__index_level_")]
    else:
        with open_text(path, expected="a table with a header") as text:
            header = next(line for line in text if line.strip() and line.strip()[0] not in "#%")
            if "\t" in header:
                table = csv.reader([header], delimiter="\t", quoting=csv.QUOTE_NONE)
            else:  # a name between quotation marks may go on in the next line
                table = csv.reader(chain([header], text), strict=True, skipinitialspace=True)
            names = [name.strip() for name in next(table)]
    lower = [name.lower() for name in names]
    ids = next((i for i, name in enumerate(lower) if name in ID_COLUMNS), 0)
    return [name for i, name in enumerate(names) if i != ids and lower[i] not in LABEL_COLUMNS]
