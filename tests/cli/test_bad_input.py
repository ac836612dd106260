"""Whatever is wrong with the input: exit code 2, one line that names the cause, and nothing left behind."""

import os

import numpy as np
import pytest
import torch

from hypgraph.data import Graph
from hypgraph.exceptions import DataError
from tests.cli.program import hypgraph, tree


def refused(folder, *arguments):
    """The one line with which the program refuses; ``folder`` is as it was before."""
    before = tree(folder)
    line = hypgraph(*arguments).error
    assert tree(folder) == before
    return line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "coar"], ["data set", "'coar'", "did you mean 'cora'?"]),
        (["--data", "Karate"], ["'Karate'", "did you mean 'karate'?"]),
        (["--data", ""], ["data set", "karate"]),
        (["--latent", "poincaree"], ["latent", "'poincaree'", "did you mean 'poincare'?"]),
        (["--latent", "Euclidean"], ["latent", "did you mean 'euclidean'?"]),
        (["--decoder", "giroplane"], ["decoder", "'giroplane'", "did you mean 'gyroplane'?"]),
        (["--decoder", "fermi_dirac"], ["did you mean 'fermi-dirac'?"]),
        (["--posterior", "wraped"], ["posterior", "'wraped'", "did you mean 'wrapped'?"]),
        (["--posterior", "riemanian"], ["posterior", "did you mean 'riemannian'?"]),
        (["--prior", "rwon"], ["prior", "'rwon'", "did you mean 'rown'?"]),
        (["--prior-scale", "0"], ["prior_scale", "greater than 0"]),
        (["--latent", "euclidean", "--posterior", "riemannian"], ["riemannian posterior", "--posterior wrapped"]),
        (["--latent", "euclidean", "--prior", "riemannian"], ["riemannian prior", "--prior wrapped"]),
        (["--latent", "euclidean", "--learn-c"], ["learn_c", "poincare or lorentz"]),
        (["--posterior", "riemannian", "--set", "model.scales=diagonal"], ["scales", "diagonal", "isotropic"]),
        (["--set", "model.dims=3"], ["model.dims", "did you mean 'dim'?"]),
        (["--set", "modle.dim=3"], ["modle", "did you mean 'model'?"]),
        (["--set", "dim=3"], ["--set", "dim", "section.key", "did you mean model.dim?"]),
        (["--set", "deem=3"], ["--set", "deem", "section.key", "sections: data, model, training"]),
        (["--set", "model.dim"], ["--set", "model.dim", "section.key=value"]),
        (["--data", "nowhere.csv"], ["nowhere.csv", "no such file"]),
        (["--data", "no/where"], ["no/where", "no such file"]),
        (["--data", "."], ["folder"]),
        (["--c", "0"], ["c", "greater than 0", "0"]),
        (["--c", "-1"], ["c", "greater than 0", "-1"]),
        (["--c", "nan"], ["c", "finite", "nan"]),
        (["--dim", "0"], ["dim", "greater than or equal to 1", "0"]),
        (["--dim", "2.5"], ["dim", "integer"]),
        (["--epochs", "-3"], ["epochs", "greater than or equal to 1", "-3"]),
        (["--epochs", "0"], ["epochs", "0"]),
        (["--lr", "nan"], ["lr", "finite", "nan"]),
        (["--lr", "inf"], ["lr", "finite"]),
        (["--lr", "fast"], ["--lr"]),
        (["--patience", "-1"], ["patience", "-1"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--seeds", "0"], ["seeds", "0"]),
        (["--device", "gpu"], ["device", "gpu", "cuda"]),
        (["--config", "nowhere.toml"], ["nowhere.toml", "no such"]),
        (["--set", "data.val_fraction=0.001"], ["too small", "78 edges"]),
        (["--set", "data.val_fraction=0.95"], ["val_fraction", "sum"]),
        (["--set", "training.device=cpu", "--devise", "cpu"], ["--devise"]),
        (["karate"], ["karate"]),
        (["--dim"], ["--dim"]),
        (["--out", "/dev/null/run"], ["--out"]),
        (["--out", "x" * 300], ["--out"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
@pytest.mark.parametrize("seeds", [[], ["--seeds", "2"]], ids=["one seed", "two seeds"])
def test_train_refuses_a_bad_option_before_it_makes_a_folder(arguments, words, seeds, tmp_path):
    line = refused(tmp_path, "train", "--data", "karate", "--epochs", 3, *seeds, *arguments)
    for word in words:
        assert word in line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["empty"]),
        (b"\n\n", ["no edges"]),
        (b"# edges follow\n", ["no edges"]),
        (b"source,target\n", ["no edges"]),
        (bytes(range(256)) * 4, ["not a text file"]),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), ["not a text file"]),
        (b"a b\nb\n", ["line 2", "column"]),
        (b"a,b,0.5\n", ["line 1", "column"]),
        (b"a a\nb b\n", ["no edges"]),
        (b"a b\nb c\nc d\n", ["too small", "3 edges"]),
        ("".join(f"{u} {v}\n" for v in range(8) for u in range(v)).encode(), ["too dense"]),
    ],
    ids=lambda value: value.decode(errors="replace")[:12] if isinstance(value, bytes) else "",
)
def test_train_refuses_a_file_that_is_no_usable_graph(content, words, tmp_path):
    path = tmp_path / "graph.txt"
    path.write_bytes(content)
    line = refused(tmp_path, "train", "--data", path, "--set", "data.val_fraction=0.1")
    for word in ["graph", *words]:
        assert word in line


def test_cuda_is_refused_where_there_is_none(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    line = refused(tmp_path, "train", "--data", "karate", "--device", "cuda")
    assert "--device cuda" in line
    assert "cpu" in line


@pytest.mark.parametrize("kind", ["file", "other folder", "run"])
def test_train_does_not_touch_what_stands_at_out(kind, tmp_path, karate_run):
    path = karate_run if kind == "run" else tmp_path / "taken"
    if kind == "file":
        path.write_text("mine")
    elif kind == "other folder":
        path.mkdir()
        (path / "diary.txt").write_text("mine")
    line = refused(tmp_path, "train", "--data", "karate", "--epochs", 3, "--out", path)
    assert f"--out {path}" in line
    assert ("--resume" in line) == (kind == "run")


@pytest.mark.parametrize(
    "arguments", [["evaluate", "RUN"], ["export", "RUN", "--out", "e.npz"], ["train", "--resume", "RUN"]]
)
@pytest.mark.parametrize("kind", ["nowhere", "file", "other folder"])
def test_a_verb_refuses_what_is_no_run(arguments, kind, tmp_path):
    path = tmp_path / "thing"
    if kind == "file":
        path.write_text("mine")
    elif kind == "other folder":
        path.mkdir()
        (path / "diary.txt").write_text("mine")
    line = refused(tmp_path, *[str(path) if argument == "RUN" else argument for argument in arguments])
    assert str(path) in line
    assert "run folder" in line


@pytest.mark.parametrize("arguments", [["evaluate", "RUN"], ["export", "RUN", "--out", "e.npz"]])
def test_a_run_that_is_not_finished_is_refused_with_the_way_to_finish_it(arguments, tmp_path, karate_run):
    (karate_run / "summary.json").unlink()
    line = refused(tmp_path, *[str(karate_run) if argument == "RUN" else argument for argument in arguments])
    assert f"hypgraph train --resume {karate_run}" in line


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99], ids=lambda kept: f"first {kept}")
def test_a_truncated_checkpoint_is_named(kept, finished, tmp_path, karate_run):
    path = karate_run / "checkpoint.pt"
    size = path.stat().st_size
    os.truncate(path, kept if isinstance(kept, int) else int(kept * size))
    if not finished:
        (karate_run / "summary.json").unlink()
    verb = ["evaluate", karate_run] if finished else ["train", "--resume", karate_run]
    line = refused(tmp_path, *verb)
    assert str(path) in line
    assert "damaged" in line


@pytest.mark.parametrize("finished", [True, False])
def test_a_checkpoint_of_another_version_names_both(finished, tmp_path, karate_run):
    path = karate_run / "checkpoint.pt"
    content = torch.load(path, weights_only=True)
    torch.save({**content, "format": 0, "version": "0.0.7"}, path)
    if not finished:
        (karate_run / "summary.json").unlink()
    line = refused(tmp_path, *(["evaluate", karate_run] if finished else ["train", "--resume", karate_run]))
    for word in (str(path), "format 0", "0.0.7", "format 1"):
        assert word in line


@pytest.mark.parametrize("entry", ["epoch", "model", "averaged", "optimizer", "generator", "best"])
def test_a_checkpoint_that_lacks_a_part_is_named(entry, tmp_path, karate_run):
    path = karate_run / "checkpoint.pt"
    content = torch.load(path, weights_only=True)
    del content["state"][entry]
    torch.save(content, path)
    (karate_run / "summary.json").unlink()
    assert str(path) in refused(tmp_path, "train", "--resume", karate_run)


def test_a_checkpoint_of_another_model_is_named(tmp_path, karate_run):
    config = karate_run / "config.json"
    config.write_text(config.read_text().replace('"dim": 3', '"dim": 4'))
    (karate_run / "summary.json").unlink()
    assert "checkpoint" in refused(tmp_path, "train", "--resume", karate_run)


@pytest.mark.parametrize("name", ["config.json", "summary.json", "split.npz", "checkpoint.pt"])
@pytest.mark.parametrize("content", [b"", b"{}[", b"PK\x03\x04garbage"], ids=["empty", "text", "zip"])
def test_evaluate_names_a_damaged_file(name, content, tmp_path, karate_run):
    (karate_run / name).write_bytes(content)
    assert name in refused(tmp_path, "evaluate", karate_run)


@pytest.mark.parametrize("content", [b"", b"{}[", b"PK\x03\x04garbage"], ids=["empty", "text", "zip"])
def test_export_names_a_damaged_file(content, tmp_path, karate_run):
    (karate_run / "embeddings.npz").write_bytes(content)
    assert "embeddings.npz" in refused(tmp_path, "export", karate_run, "--out", "e.csv")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["trian"], ["'trian'", "train"]),
        (["--verbose"], ["--verbose"]),
        (["data", "lsit"], ["'lsit'"]),
        (["config", "show", "--set", "model.dims=3"], ["model.dims", "'dim'"]),
        (["config", "show", "--config", "nowhere.toml"], ["nowhere.toml"]),
        (["evaluate"], ["RUN"]),
        (["plot", "run"], ["--out"]),
    ],
    ids=lambda value: " ".join(value)[:40],
)
def test_an_unknown_verb_or_a_missing_argument_is_one_line(arguments, words, tmp_path):
    line = refused(tmp_path, *arguments)
    for word in words:
        assert word in line


def test_debug_shows_the_traceback_in_any_place():
    for arguments in (["--debug", "train", "--data", "coar"], ["train", "--data", "coar", "--debug"]):
        with pytest.raises(ValueError, match="coar"):
            hypgraph(*arguments)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_features_that_are_not_finite_are_refused_by_the_python_interface(bad):
    features = np.eye(3)
    features[1, 2] = bad
    with pytest.raises(DataError, match="feature") as caught:
        Graph.from_pairs("path", [[0, 1], [1, 2]], node_id=["a", "b", "c"], features=features)
    assert len(str(caught.value).splitlines()) == 1
