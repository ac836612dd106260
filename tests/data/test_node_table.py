"""Features and labels from people's own tables, matched by id."""

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from hypgraph.data import Graph
from hypgraph.data.node_table import read_node_table, with_node_table
from hypgraph.exceptions import DataError

Write = Callable[..., Path]
WORDS = np.array(["Ann", "Bob", "Cy"])


@pytest.fixture
def written(tmp_path: Path) -> Write:
    def write(content: str | bytes, name: str = "people.csv") -> Path:
        data = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write


def dense(features: sp.csr_array | None) -> list[list[float]]:
    assert features is not None
    assert features.dtype == np.float32
    return features.toarray().tolist()


@pytest.mark.parametrize("name", ["people.csv", "people.tsv", "people.csv.gz", "people.TXT", "people"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_rows_in_any_order_find_their_nodes(written: Write, name: str, newline: str, bom: str) -> None:
    lines = ["# by hand", "id,age,height,label", "Cy,1.5,-2,red", "", "Ann,0,1e3,blue", "Bob, 7 ,0,red"]
    text = newline.join(lines)
    table = read_node_table(written(bom + (text.replace(",", "\t") if "tsv" in name else text), name), WORDS)
    assert dense(table.features) == [[0, 1000], [7, 0], [1.5, -2]]
    assert table.labels is not None
    assert table.labels.tolist() == [0, 1, 1]
    assert table.label_names == ("blue", "red")
    assert table.node_id.tolist() == ["Ann", "Bob", "Cy"]
    assert table.notes == ()


@pytest.mark.parametrize("header", ["ID,a,y", "a,NODE,y", "class,a,node_id", "name,a,label", ",a,label", "y,a,id"])
def test_the_columns_of_ids_and_labels_are_known_by_name(written: Write, header: str) -> None:
    value = {"a": "2.5", "y": "x", "label": "x", "class": "x"}
    line = ",".join(value.get(column, "Bob") for column in header.split(","))
    table = read_node_table(written(f"{header}\n{line}\n"), WORDS)
    assert dense(table.features) == [[0], [2.5], [0]]
    assert table.labels is not None
    assert table.labels.tolist() == [-1, 0, -1]


@pytest.mark.parametrize(
    ("labels", "classes", "names"),
    [
        (["0", "2", "1"], [0, 2, 1], ()),
        (["0", "-1", "1"], [0, -1, 1], ()),
        (["", "0", ""], [-1, 0, -1], ()),
        (["10", "9", "10"], [1, 0, 1], ("9", "10")),
        (["1", "2", ""], [0, 1, -1], ("1", "2")),
        (["b", "a", "b"], [1, 0, 1], ("a", "b")),
        (["b", "", "10"], [1, -1, 0], ("10", "b")),
        (["1.0", "2.0", "1.0"], [0, 1, 0], ("1.0", "2.0")),
    ],
)
def test_labels_of_any_kind(written: Write, labels: list[str], classes: list[int], names: tuple[str, ...]) -> None:
    rows = "".join(f"{node},{label}\n" for node, label in zip(WORDS, labels, strict=True))
    table = read_node_table(written("id,label\n" + rows), WORDS)
    assert table.labels is not None
    assert (table.labels.tolist(), table.label_names, table.features) == (classes, names, None)
    assert table.labels.dtype == np.int64


@pytest.mark.parametrize(
    ("rows", "noted"),
    [
        (["52000,1,0", "48000,0,1", "61000,1,0"], True),
        (["0.52,1,0", "0.48,0,1", "0.61,1,0"], False),
        (["1,0,0", "1,0,0", "1,0,0"], False),
        (["7,0,0", "8,0,0", "9,0,0"], False),
    ],
)
def test_a_column_that_hides_the_others_in_rows_of_length_one_is_noted(
    written: Write, rows: list[str], noted: bool
) -> None:
    content = "id,income,left,right\n" + "".join(f"{node},{row}\n" for node, row in zip(WORDS, rows, strict=True))
    notes = read_node_table(written(content), WORDS).notes
    assert [("feature 1 of 3 hides the others" in note) for note in notes] == [True] * noted


def test_nodes_in_one_of_the_two_only_are_counted_and_kept(written: Write) -> None:
    graph = Graph.from_pairs("team", [[0, 0], [1, 2]], node_id=[5, 3, 9])
    joined, notes = with_node_table(graph, written("id,f,label\n7,1,a\n3,2,b\n-4,3,a\n"))
    assert joined.node_id.tolist() == [5, 3, 9, 7, -4]
    assert joined.node_id.dtype == np.int64
    assert dense(joined.features) == [[0], [2], [0], [1], [3]]
    assert joined.labels is not None
    assert joined.labels.tolist() == [-1, 1, -1, 0, 0]
    assert joined.edge_index.tolist() == graph.edge_index.tolist()
    assert "2 of 3 nodes are not in it (features 0, label unknown)" in notes[0]
    assert "2 of its 3 nodes have no edge; they are added as isolated nodes" in notes[1]
    assert len(notes) == 2
    assert not any("\n" in note for note in notes)


def test_a_new_node_with_a_name_makes_all_ids_strings(written: Write) -> None:
    graph = Graph.from_pairs("team", [[0], [1]], node_id=[5, 3])
    joined, _ = with_node_table(graph, written("id,f\n05,1\n3,2\n"))
    assert joined.node_id.tolist() == ["5", "3", "05"]


def test_what_the_table_does_not_have_stays(written: Write) -> None:
    graph = Graph.from_pairs(
        "team", [[0], [1]], node_id=["a", "b"], features=[[1.0], [2.0]], labels=[1, 0], label_names=["x", "y"]
    )
    labelled, _ = with_node_table(graph, written("id,label\na,z\nc,z\n"))
    assert dense(labelled.features) == [[1], [2], [0]]
    assert labelled.labels is not None
    assert (labelled.labels.tolist(), labelled.label_names) == ([0, -1, 0], ("z",))
    measured, _ = with_node_table(graph, written("id,f,g\na,3,4\nc,5,6\n"))
    assert dense(measured.features) == [[3, 4], [0, 0], [5, 6]]
    assert measured.labels is not None
    assert (measured.labels.tolist(), measured.label_names) == ([1, 0, -1], ("x", "y"))


@given(
    st.lists(
        st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3), min_size=1
    )
)
def test_every_float32_comes_back(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    path = tmp_path_factory.mktemp("table") / "x.csv"
    lines = [f"n{i}," + ",".join(map(repr, row)) for i, row in enumerate(rows)]
    path.write_text("id,a,b,c\n" + "\n".join(reversed(lines)))
    table = read_node_table(path, np.array([f"n{i}" for i in range(len(rows))]))
    assert dense(table.features) == np.array(rows, dtype=np.float32).tolist()


def test_a_table_of_many_rows_is_the_matrix_it_was_made_of(written: Write) -> None:
    draw = np.random.default_rng(0)
    matrix = sp.random_array((9000, 7), density=0.2, rng=draw).astype(np.float32).toarray()
    order = draw.permutation(9000)
    lines = [f"{i}," + ",".join(map(str, matrix[i].tolist())) for i in order]
    node_id = draw.permutation(9000)
    table = read_node_table(written("id,a,b,c,d,e,f,g\n" + "\n".join(lines)), node_id)
    assert table.features is not None
    np.testing.assert_array_equal(table.features.toarray(), matrix[node_id])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,f\nAnn,1\nBob,nan\n", r"line 3, column 'f': NaN"),
        ("id,f\nAnn,1\n\n# x\nBob,inf\n", r"line 5, column 'f': NaN, infinite"),
        ("id,f,g\nAnn,1,1e39\n", r"line 2, column 'g': .* above what float32 holds"),
        ("id,f\nAnn,tall\n", r"line 2, column 'f': 'tall'; expected a number"),
        ("id,f\nAnn,1_0\n", r"line 2, column 'f': '1_0'; expected a number"),
        ("id,f\nAnn_x,1\nAnn,\n", r"line 3, column 'f': empty; expected a number"),
        ("id,f\nAnn\n", r"line 2: 1 columns; the header has 2"),
        ("id,f\nAnn,1,2\n", r"line 2: 3 columns; the header has 2"),
        ("id,f\nAnn,1\nAnn,2\n", r"line 3: the id 'Ann' is already that of line 2"),
        ("id,f\n,1\n", r"line 2: the id is empty"),
        ("id,label\nAnn,NaN\n", r"line 2: the label is NaN; leave it empty"),
        ("id,label,y\nAnn,1,2\n", r"line 1: 2 columns of labels in \(id, label, y\)"),
        ("id,f,f\nAnn,1,2\n", r"line 1: the column 'f' is there 2 times"),
        ("id\nAnn\n", r"line 1: 1 column \(id\); expected ids and beside them"),
        ("Ann,1,2\nBob,3,4\n", r"line 1: \(Ann, 1, 2\) is not a header"),
        ("id,f\n", "no nodes in it"),
        ("# x\n", "no header in it"),
        ("", "the file is empty"),
        ("id,f\nZoe,1\n", r"not one of its 1 ids \('Zoe', …\) is a node of the graph \('Ann', …\)"),
        ('id,f\n"Ann,1\n', "line 2: not a line of the table"),
        (b"id,f\nAnn\0,1\n", "not a text file"),
        ("id,f\nZoë,1\n".encode("latin-1"), "not a text file"),
        ("id,f\n" + "A" * 200_000 + ",1\n", "line 2: not a line of the table"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_column(written: Write, content: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_node_table(written(content), WORDS)
    assert "people.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


def test_row_i_of_a_matrix_is_the_node_with_the_id_i(tmp_path: Path) -> None:
    matrix = np.arange(8.0).reshape(4, 2)
    sp.save_npz(tmp_path / "x.npz", sp.csr_array(matrix))
    np.save(tmp_path / "x.npy", matrix)
    for name in ("x.npz", "x.npy"):
        table = read_node_table(tmp_path / name, np.array([3, 0, 2, 1]))
        assert dense(table.features) == matrix[[3, 0, 2, 1]].tolist()
        assert (table.labels, table.notes) == (None, ())
        fewer = read_node_table(tmp_path / name, np.array([3, 1]))
        assert fewer.node_id.tolist() == [3, 1, 0, 2]
        assert dense(fewer.features) == matrix[[3, 1, 0, 2]].tolist()
        assert "2 of its 4 nodes have no edge" in fewer.notes[0]
        with pytest.raises(DataError, match="it has 4 rows, and the ids of this graph are 1 to 4; use a table"):
            read_node_table(tmp_path / name, np.array([1, 2, 3, 4]))
        with pytest.raises(DataError, match="the ids of this graph are -1 to 2"):
            read_node_table(tmp_path / name, np.array([0, -1, 2]))
        with pytest.raises(DataError, match="the ids of this graph are strings; use a table"):
            read_node_table(tmp_path / name, WORDS)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.arange(3), "an array of 1 axes; expected a matrix"),
        (np.array([["a"], ["b"], ["c"]]), "of the type <U1; expected numbers"),
        (np.array([[1j], [2], [3]]), "of the type complex128; expected numbers"),
        (np.array([[0.0, 1.0], [2.0, np.nan]]), "row 1, column 1: NaN"),
        (np.array([[0.0, 1.0], [1e39, 0.0]]), "row 1, column 0: NaN, infinite or above float32"),
        (np.array([[None], [1]]), "damaged, or not a matrix saved by numpy.save"),
    ],
)
def test_a_matrix_that_is_none_of_finite_numbers_is_refused(
    array: np.ndarray, message: str, tmp_path: Path
) -> None:
    np.save(tmp_path / "x.npy", array, allow_pickle=True)
    with pytest.raises(DataError, match=message):
        read_node_table(tmp_path / "x.npy", np.arange(2))


def test_parquet_is_read_like_a_table(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "people.parquet"

    def saved(**columns: object) -> Path:
        parquet.write_table(pa.table(columns), path)
        return path

    many = saved(f=[1, 2], g=[True, False], label=[1.0, None], node_id=["Cy", "Ann"])
    table = read_node_table(many, WORDS)
    assert dense(table.features) == [[2, 0], [0, 0], [1, 1]]
    assert table.labels is not None
    assert (table.labels.tolist(), table.label_names) == ([-1, -1, 0], ("1",))
    assert read_node_table(saved(id=[3, 5], y=["b", "a"]), np.array([5, 3])).label_names == ("a", "b")
    bad: list[tuple[dict[str, object], str]] = [
        ({"id": ["Ann", "Bob"], "f": [1.0, None]}, "row 2, column 'f': nan; expected a finite number"),
        ({"id": ["Ann", "Bob"], "f": [1, None]}, "row 2, column 'f': nan; expected a finite number"),
        ({"id": ["Ann", "Bob"], "f": [True, None]}, "row 2, column 'f': nan; expected a finite number"),
        ({"id": ["Ann", "Bob"], "f": ["1", "2"]}, "column 'f': of the type string; expected numbers"),
        ({"id": ["Ann", None], "f": [1, 2]}, "row 2: column 'id' is empty"),
        ({"id": ["Ann", ""], "f": [1, 2]}, "row 2: column 'id' holds an empty id"),
        ({"id": ["Ann", "Ann"], "f": [1, 2]}, "the id 'Ann' is there 2 times"),
        ({"id": [0.5, 1.5], "f": [1, 2]}, "column 'id' is of the type double; ids are integers or strings"),
        ({"id": ["Ann", "Bob"], "y": [0.5, 1.0]}, "row 1: the label is 0.5"),
        ({"id": ["Ann", "Bob"], "y": [float("nan"), 1.0]}, "row 1: the label is nan"),
    ]
    for columns, message in bad:
        with pytest.raises(DataError, match=message):
            read_node_table(saved(**columns), WORDS)


def test_what_is_not_there_or_a_folder_is_one_line(tmp_path: Path) -> None:
    for name in ("x.csv", "x.parquet", "x.npz", "x.npy"):
        with pytest.raises(DataError, match="no such file"):
            read_node_table(tmp_path / name, WORDS)
        (tmp_path / name).mkdir()
        with pytest.raises(DataError, match="is a folder"):
            read_node_table(tmp_path / name, WORDS)
