"""The folder of a run: made whole, recognised, never overwritten."""

import json
from pathlib import Path

import pytest

from hypgraph.config import RunConfig, load_config
from hypgraph.exceptions import RunError
from hypgraph.run_folder import RunFolder, check_new


def everything_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_new_run_holds_its_configuration_and_nothing_else(tmp_path):
    config = load_config(assignments=["model.dim=2"])
    folder = RunFolder.create(tmp_path / "results" / "run", config)
    assert everything_in(tmp_path) == ["results", "results/run", "results/run/config.json"]
    assert folder.config() == config
    assert not folder.finished
    assert RunFolder.open(folder.path) == folder


def test_the_files_have_the_names_of_the_design():
    folder = RunFolder(Path("run"))
    names = {
        folder.config_file.name,
        folder.metrics_file.name,
        folder.summary_file.name,
        folder.environment_file.name,
        folder.checkpoint_file.name,
        folder.embeddings_file.name,
    }
    assert names == {
        "config.json",
        "metrics.jsonl",
        "summary.json",
        "environment.json",
        "checkpoint.pt",
        "embeddings.npz",
    }


def test_an_empty_folder_becomes_the_run(tmp_path):
    (tmp_path / "run").mkdir()
    RunFolder.create(tmp_path / "run", RunConfig())
    assert everything_in(tmp_path) == ["run", "run/config.json"]


def test_others_may_read_the_folder(tmp_path):
    folder = RunFolder.create(tmp_path / "run", RunConfig())
    assert folder.path.stat().st_mode & 0o555 == 0o555


@pytest.mark.parametrize("kind", ["file", "folder with something in it", "run"])
def test_what_stands_there_is_not_touched(kind, tmp_path):
    path = tmp_path / "taken"
    if kind == "file":
        path.write_text("mine")
    elif kind == "run":
        RunFolder.create(path, RunConfig())
    else:
        path.mkdir()
        (path / "diary.txt").write_text("mine")
    before = everything_in(tmp_path)
    with pytest.raises(RunError, match=r"--out .*taken"):
        check_new(path)
    with pytest.raises(RunError, match=r"--out .*taken"):
        RunFolder.create(path, load_config(assignments=["model.dim=3"]))
    assert everything_in(tmp_path) == before


def test_a_run_that_stands_there_already_can_be_gone_on_with(tmp_path):
    RunFolder.create(tmp_path / "run", RunConfig())
    with pytest.raises(RunError, match="--resume"):
        check_new(tmp_path / "run")


@pytest.mark.parametrize("name", ["file/run", "x" * 300])
def test_a_folder_that_cannot_be_made_is_refused_in_one_line(name, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(RunError, match="--out") as caught:
        RunFolder.create(tmp_path / name, RunConfig())
    assert len(str(caught.value).splitlines()) == 1
    assert everything_in(tmp_path) == ["file"]


def test_a_failure_while_the_folder_is_made_leaves_nothing(tmp_path, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hypgraph.run_folder.write_json", full)
    with pytest.raises(RunError, match="No space left"):
        RunFolder.create(tmp_path / "run", RunConfig())
    assert everything_in(tmp_path) == []


def test_a_folder_without_config_json_is_no_run(tmp_path):
    with pytest.raises(RunError, match="not a run folder"):
        RunFolder.open(tmp_path)
    with pytest.raises(RunError, match="no such run folder"):
        RunFolder.open(tmp_path / "nowhere")
    (tmp_path / "config.json").mkdir()
    with pytest.raises(RunError, match="not a run folder"):
        RunFolder.open(tmp_path)


def test_the_summary_of_an_unfinished_run_says_how_to_finish_it(tmp_path):
    folder = RunFolder.create(tmp_path / "run", RunConfig())
    with pytest.raises(RunError, match="hypgraph train --resume"):
        folder.summary()


def test_the_summary_of_a_finished_run_is_its_content_and_damage_is_named(tmp_path):
    folder = RunFolder.create(tmp_path / "run", RunConfig())
    folder.summary_file.write_text(json.dumps({"epochs": 3}))
    assert folder.finished
    assert folder.summary() == {"epochs": 3}
    folder.summary_file.write_text('{"epo')
    with pytest.raises(RunError, match=r"damaged .*; remove it, then: hypgraph train --resume "):
        folder.summary()


@pytest.mark.parametrize("tail", [b"", b'{"epoch": 4}\n', b'{"epoch": 4}\n{"ep', b'{"ep'])
def test_lines_past_the_checkpoint_are_dropped_whole_or_half(tail, tmp_path):
    folder = RunFolder.create(tmp_path / "run", RunConfig())
    kept = b"".join(b'{"epoch": %d}\n' % epoch for epoch in (1, 2, 3))
    folder.metrics_file.write_bytes(kept + tail)
    folder.keep_metrics(3)
    assert folder.metrics_file.read_bytes() == kept


def test_all_lines_are_dropped_where_there_is_no_checkpoint(tmp_path):
    folder = RunFolder.create(tmp_path / "run", RunConfig())
    folder.keep_metrics(0)
    folder.metrics_file.write_bytes(b'{"epoch": 1}\n')
    folder.keep_metrics(0)
    assert folder.metrics_file.read_bytes() == b""


@pytest.mark.parametrize("content", [None, b"", b'{"epoch": 1}\n', b'{"epoch": 1}\n{"epo'])
def test_lines_that_are_missing_are_an_error_and_nothing_is_lost(content, tmp_path):
    folder = RunFolder.create(tmp_path / "run", RunConfig())
    if content is not None:
        folder.metrics_file.write_bytes(content)
    with pytest.raises(RunError, match=r"metrics\.jsonl.*epoch 2"):
        folder.keep_metrics(2)
    assert (folder.metrics_file.read_bytes() if folder.metrics_file.exists() else None) == content
