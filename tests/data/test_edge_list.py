"""Reading people's own files."""

import gzip
import time
import tracemalloc

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hypgraph.data import edge_list, read_edge_list
from hypgraph.data.edge_list import read_edge_table
from hypgraph.exceptions import DataError


@pytest.fixture
def written(tmp_path):
    def write(content, name="team.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def edges_by_id(graph):
    return {frozenset(pair) for pair in graph.node_id[graph.edge_index.numpy().T].tolist()}


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", "\t", " ", " , ", "   ", ", "])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", ["", "newline", "two newlines"])
def test_every_common_form_of_the_file_gives_the_same_graph(written, newline, separator, bom, end):
    lines = [
        "% made by hand",
        "Source" + separator + "TARGET",
        "",
        "  # a comment",
        "x" + separator + "ÿ",
        "ÿ" + separator + "z",
    ]
    text = newline.join(lines) + newline * {"": 0, "newline": 1, "two newlines": 2}[end]
    graph = read_edge_list(written(bom + text.encode()))
    assert graph.node_id.tolist() == ["x", "ÿ", "z"]
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]
    assert graph.name == "team"


def test_nodes_are_numbered_by_first_appearance(written):
    graph = read_edge_list(written("9 3\n3 5\n5 9\n"))
    assert graph.node_id.tolist() == [9, 3, 5]
    assert graph.node_id.dtype == np.int64


@pytest.mark.parametrize("odd", ["01", "+1", "-0", "1.0", "٣", "1_000", "9999999999999999999", "a"])
def test_one_id_that_is_not_a_plain_integer_keeps_all_ids_as_strings(written, odd):
    graph = read_edge_list(written(f"1,2\n2,{odd}\n"))
    assert graph.node_id.dtype.kind == "U"
    assert graph.node_id.tolist() == ["1", "2", odd]


def test_negative_integers_are_integers(written):
    assert read_edge_list(written("-5,0\n")).node_id.tolist() == [-5, 0]


def test_blanks_belong_to_the_ids_where_a_comma_or_tab_separates(written):
    assert read_edge_list(written("Ann Lee,Bob Ray\n")).node_id.tolist() == ["Ann Lee", "Bob Ray"]
    assert read_edge_list(written("Lee, Ann\tRay, Bob\n")).node_id.tolist() == ["Lee, Ann", "Ray, Bob"]


def test_a_quoted_id_may_hold_a_comma(written):
    graph = read_edge_list(written('"Lee, Ann","say ""hi"""\nBob, "Lee, Ann"\n'))
    assert graph.node_id.tolist() == ["Lee, Ann", 'say "hi"', "Bob"]


@pytest.mark.parametrize("header", sorted(edge_list.HEADERS))
def test_known_headers_are_skipped(written, header):
    assert read_edge_list(written(",".join(header).upper() + "\na,b\n")).node_id.tolist() == ["a", "b"]


def test_a_header_is_never_guessed(written):
    graph = read_edge_list(written("paper,cites\n1,2\n"))
    assert graph.node_id.tolist() == ["paper", "cites", "1", "2"]
    assert read_edge_list(written("a,b\nsource,target\n")).num_edges == 2


def test_two_words_before_nothing_but_integers_are_refused_as_a_header(written):
    with pytest.raises(DataError, match=r"team.csv: the first line \(Citing, Cited\) looks like a header"):
        read_edge_list(written("Citing,Cited\n1,2\n2,3\n"))
    assert read_edge_list(written("Ann,Bob\n1,2\n2,3\nBob,1\n")).num_nodes == 5
    assert read_edge_list(written("Ann,Bob\n1,2\n2,3\nCy,1\n")).num_nodes == 6


@pytest.mark.parametrize(
    ("content", "noted"),
    [("follower,followee\na,b\nb,c\n", True), ("a,b\nb,c\n", False), ("a,b\n", False), ("a,c\nd,e\nf,c\n", False)],
)
def test_a_first_line_whose_words_stand_nowhere_else_is_an_edge_with_a_note(written, content, noted):
    graph = read_edge_list(written(content))
    assert graph.num_edges == content.count("\n")
    assert bool(graph.notes) == noted
    if noted:
        assert "--source-col follower --target-col followee" in graph.notes[0]


def test_self_loops_and_repeats_are_counted_and_lonely_nodes_stay(written):
    graph = read_edge_list(written("a b\nb a\na b\nc c\n"))
    assert (graph.num_nodes, graph.num_edges) == (3, 1)
    assert (graph.self_loops_dropped, graph.duplicates_dropped) == (1, 2)


def test_it_agrees_with_networkx_on_a_random_graph(written):
    oracle = nx.gnm_random_graph(60, 300, seed=1)
    path = written("")
    nx.write_edgelist(oracle, path, data=False)
    assert edges_by_id(read_edge_list(path)) == {frozenset(edge) for edge in oracle.edges}


IDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"]), min_size=1).filter(
    lambda s: s[0] not in "#%\ufeff" and '"' not in s and "," not in s
)


@given(st.lists(st.tuples(IDS, IDS), min_size=1))
def test_any_ids_come_back_as_they_were(tmp_path_factory, pairs):
    pairs = [("first", "edge"), ("edge", "first"), *pairs]  # not to be taken for a header of numbers
    path = tmp_path_factory.mktemp("ids") / "x.tsv"
    path.write_bytes("\n".join(f"{a}\t{b}" for a, b in pairs).encode())
    graph = read_edge_list(path)
    assert graph.node_id.tolist() == list(dict.fromkeys(node for pair in pairs for node in pair))
    assert edges_by_id(graph) == {frozenset(pair) for pair in pairs if pair[0] != pair[1]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b\nc\n", r"team.csv, line 2: 1 column \('c'\); expected two, separated by a comma"),
        ("# x\na b\n\na,b\n", r"line 4: 1 column \('a,b'\); expected two, separated by blanks"),
        ("a\tb\na b\n", r"line 2: 1 column \('a b'\); expected two, separated by a tab"),
        (
            "source,target,weight\na,b,1\n",
            r"line 1: 3 columns \('source', 'target', 'weight'\).*remove the others",
        ),
        ("a b\nc d e f\n", r"line 2: 4 columns \('c', 'd', 'e', 'f'\)"),
        ("a,b,\n", r"line 1: 3 columns \('a', 'b', ''\)"),
        ("a,b\n,c\n", r"line 2: an id is empty \('', 'c'\)"),
        ('a,b\n"",c\n', r"line 2: an id is empty"),
        ('a,b\n"c,d\n', r"line 2: a quoted id is not closed"),
        ("word\n", r"line 1: 1 column \('word'\)"),
        ("a" * 9999 + "\n", r"line 1: 1 column \('a{40}'…\)"),
        (" ".join("abcdefghijk"), r"11 columns \('a', .* 'h', …\)"),
        ("", "the file is empty"),
        ("\n \n", "no edges in it"),
        ("# only\n% comments\n", "no edges in it"),
        ("source,target\n", "no edges in it"),
        (b"a\0b", "not a text file"),
        (b"\x89PNG\r\n\x1a\n\xff", "not a text file"),
        ("a,b\n".encode("utf-16"), "not a text file"),
        ("é,è\n".encode("latin-1"), "not a text file"),
    ],
)
def test_bad_content_is_one_line_with_the_file_and_the_line_number(written, content, message):
    with pytest.raises(DataError, match=message) as caught:
        read_edge_list(written(content))
    assert "team.csv" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_missing_file_and_a_folder_are_data_errors(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_edge_list(tmp_path / "nowhere.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_edge_list(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_edge_list(tmp_path / ("n" * 5000))


def test_a_hundred_thousand_lines_take_well_under_a_second(written):
    ends = np.random.default_rng(0).integers(0, 20_000, (100_000, 2)).tolist()
    path = written("\n".join(f"{u},{v}" for u, v in ends))
    before = time.process_time()
    read_edge_list(path)
    assert time.process_time() - before < 2  # takes 0.2 s; a million lines take 2 s


@pytest.mark.parametrize(
    "content",
    [
        "source,target,weight\na,b,1\nb,c,nan\n",
        "weight,Target,SOURCE\n1,b,a\nNaN,c,b\n",
        "id1\tid2\tweight\tnote\na\tb\t1\t\nb\tc\t\t\n",
        "\ufeff# made by hand\nu v w\na b 1\nb c nan\n",
        'source,target,note\na,b,"1, or 2"\nb,c,\n',
    ],
)
def test_of_more_columns_a_known_header_says_which_are_the_ends(written, content):
    graph = read_edge_table(written(content), directed=True)
    assert graph.node_id.tolist() == ["a", "b", "c"]
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]


@pytest.mark.parametrize(
    ("content", "source", "target"),
    [
        ("paper,cites\na,b\nb,c\n", "paper", "cites"),
        ("cites,paper\nb,a\nc,b\n", "paper", "cites"),
        ("year,paper,cites\n1999,a,b\n1999,b,c\n", "paper", "cites"),
        ("source,target,paper,cites\n1,2,a,b\n1,2,b,c\n", "paper", "cites"),
        ("1999 b a\n1999 c b\n", "3", "2"),
        ("a,b\nb,c\n", "1", "2"),
        ("source,target,weight\na,b,1\nb,c,1\n", "1", "2"),
    ],
)
def test_columns_are_named_or_counted_from_one(written, content, source, target):
    graph = read_edge_table(written(content), source_column=source, target_column=target, directed=True)
    assert graph.node_id.tolist() == ["a", "b", "c"]
    assert graph.edge_index.tolist() == [[0, 1], [1, 2]]


def test_a_header_with_the_target_first_turns_the_edges(written):
    graph = read_edge_table(written("target,source\nb,a\n"), directed=True)
    assert graph.node_id[graph.edge_index.numpy().T].tolist() == [["a", "b"]]


@pytest.mark.parametrize(
    ("content", "source", "target", "message"),
    [
        (
            "a,b,c\n",
            None,
            None,
            r"line 1: 3 columns \('a', 'b', 'c'\); name the two .*--source-col 1 --target-col 2",
        ),
        ("1 2 0.5\n", None, None, r"line 1: 3 columns \('1', '2', '0.5'\)"),
        ("paper,cites,year\n1,2,3\n", None, None, r"3 columns \('paper', 'cites', 'year'\); name the two"),
        ("source,target,from,to\na,b,c,d\n", None, None, "4 columns .*name the two"),
        ("source,target,source\na,b,c\n", None, None, "3 columns .*name the two"),
        ("a,b,c\n", "1", "4", r"--target-col 4, but there are 3 columns \('a', 'b', 'c'\)"),
        ("paper,cites\na,b\n", "papers", "cites", "'papers' of --source-col is not there; did you mean 'paper'"),
        ("a,a,b\n1,2,3\n", "b", "a", "'a' of --target-col is there more than once"),
        (
            "source,target,w\na,b,1\na,b\n",
            None,
            None,
            r"line 3: 2 columns \('a', 'b'\).*expected 3 as in the first",
        ),
        ("source,target,w\na,b,1\na,b,1,2\n", None, None, r"line 3: 4 columns"),
        ("w,source,target\n1,a,b\n1,,b\n", None, None, "line 3: an id is empty"),
        ("Citing,Cited,w\n1,2,1\n2,3,1\n", "1", "2", "looks like a header"),
    ],
)
def test_columns_are_never_guessed(written, content, source, target, message):
    with pytest.raises(DataError, match=message) as caught:
        read_edge_table(written(content), source_column=source, target_column=target)
    assert "team.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_directed_graph_keeps_both_edges_between_two_nodes(written):
    graph = read_edge_table(written("a b\nb a\na b\nc c\n"), directed=True)
    assert graph.edge_index.tolist() == [[0, 1], [1, 0]]
    assert (graph.self_loops_dropped, graph.duplicates_dropped) == (1, 1)


def test_a_compressed_file_is_read_and_a_damaged_one_named(written):
    packed = gzip.compress(b"a b\nb c\n" * 1000)
    graph = read_edge_list(written(packed, "team.edges.gz"))
    assert (graph.name, graph.num_nodes) == ("team", 3)
    for content in (packed[:-9], packed[:20], b"a b\n", packed[:10] + b"\xff" * 40):
        with pytest.raises(DataError, match=r"team.edges.gz: truncated, or not compressed by gzip"):
            read_edge_list(written(content, "team.edges.gz"))
    with pytest.raises(DataError, match=r"compressed one; let its name end in .gz"):
        read_edge_list(written(packed, "team.edges"))


def test_an_error_far_down_has_its_line_number(written):
    lines = [f"{i},{i + 1}\n" for i in range(400_000)]
    lines[390_000] = "1,2,3\n"
    with pytest.raises(DataError, match=r"line 390001: 3 columns"):
        read_edge_list(written("".join(lines)))


def test_an_id_so_long_that_numpy_would_fill_the_memory_is_refused(written):
    path = written("".join(f"{i},a{i}\n" for i in range(20_000)) + "b" * 60_000 + ",c\n")
    with pytest.raises(DataError, match=r"longest of 4000\d ids has 60000 characters"):
        read_edge_list(path)


def test_a_long_comment_is_not_kept(written):
    path = written("# " + "long " * 6_000_000 + "\na,b\n")
    tracemalloc.start()
    try:
        assert read_edge_list(path).num_edges == 1
        assert tracemalloc.get_traced_memory()[1] < 20e6  # three quarters of the file
    finally:
        tracemalloc.stop()
