"""Files are whole or absent."""

import json

import pytest

from hypgraph.files import whole_file, write_json


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    path = tmp_path / "table.txt"
    with whole_file(path) as temporary:
        temporary.write_text("half")
        assert not path.exists()
        assert temporary.parent == path.parent  # a rename is atomic within one file system only
    assert path.read_text() == "half"
    assert names(tmp_path) == ["table.txt"]


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("old")

    def interrupted():
        with whole_file(path) as temporary:
            temporary.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["table.txt"]


def test_a_block_that_fails_before_it_writes_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "table.txt"):
        raise ZeroDivisionError
    assert names(tmp_path) == []


def test_json_reads_back_exactly(tmp_path):
    values = {"third": 1 / 3, "tiny": 5e-324, "name": "Poincaré", "nothing": None, "list": [1, 2]}
    write_json(tmp_path / "values.json", values)
    assert json.loads((tmp_path / "values.json").read_text(encoding="utf-8")) == values
    assert names(tmp_path) == ["values.json"]


def test_values_that_json_cannot_hold_leave_the_old_file(tmp_path):
    path = tmp_path / "values.json"
    write_json(path, {"a": 1})
    with pytest.raises(TypeError):
        write_json(path, {"a": object()})
    assert json.loads(path.read_text()) == {"a": 1}
    assert names(tmp_path) == ["values.json"]
