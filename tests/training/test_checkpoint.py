"""Checkpoints: whole or absent, and refused when they are not what they should be."""

import os

import pytest
import torch

from hypgraph.exceptions import RunError
from hypgraph.training import load_checkpoint, save_checkpoint

CPU = torch.device("cpu")
STATE = {
    "epoch": 7,
    "model": {"weight": torch.arange(6.0).reshape(2, 3)},
    "best": {"val": (0.5, 0.25), "weights": {"bias": torch.tensor([0.1], dtype=torch.float64)}},
    "generator": torch.Generator().manual_seed(1).get_state(),
}


def refusal(path, *, fingerprint="data"):
    with pytest.raises(RunError) as caught:
        load_checkpoint(path, fingerprint=fingerprint, device=CPU)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert str(path) in message
    return message


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "checkpoint.pt"
    save_checkpoint(path, STATE, fingerprint="data")
    return path


def test_a_checkpoint_comes_back_as_it_was(saved):
    state = load_checkpoint(saved, fingerprint="data", device=CPU)
    assert state.keys() == STATE.keys()
    assert state["epoch"] == 7
    assert state["best"]["val"] == (0.5, 0.25)
    for given, back in (
        (STATE["model"]["weight"], state["model"]["weight"]),
        (STATE["best"]["weights"]["bias"], state["best"]["weights"]["bias"]),
        (STATE["generator"], state["generator"]),
    ):
        assert back.dtype == given.dtype
        assert torch.equal(back, given)


def test_a_checkpoint_loads_without_the_power_to_run_code(saved):
    assert set(torch.load(saved, weights_only=True)) == {"format", "version", "fingerprint", "state"}


def test_a_checkpoint_that_holds_code_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "sprung"),))

    path = tmp_path / "checkpoint.pt"
    torch.save({"format": 1, "version": "0", "fingerprint": "data", "state": Trap()}, path)
    refusal(path)
    assert not (tmp_path / "sprung").exists()


def test_a_checkpoint_cut_off_anywhere_is_damaged(saved):
    content = saved.read_bytes()
    for kept in [*range(0, len(content), max(1, len(content) // 60)), len(content) - 1]:
        saved.write_bytes(content[:kept])
        assert "damaged" in refusal(saved)


@pytest.mark.parametrize("content", [None, 3, "x", [1], {"format": 1}, {"state": {}}], ids=repr)
def test_a_file_of_torch_that_is_no_checkpoint_is_damaged(content, tmp_path):
    torch.save(content, tmp_path / "checkpoint.pt")
    assert "damaged" in refusal(tmp_path / "checkpoint.pt")


def test_a_checkpoint_that_is_not_there_is_said_to_be_missing(tmp_path):
    assert "no such checkpoint" in refusal(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("written", [0, 2, 99, "1"])
def test_a_checkpoint_of_another_format_names_the_version_that_wrote_it(written, saved):
    content = torch.load(saved, weights_only=True)
    torch.save({**content, "format": written, "version": "9.9.9"}, saved)
    message = refusal(saved)
    assert f"format {written}" in message
    assert "9.9.9" in message


def test_a_checkpoint_of_other_data_is_refused(saved):
    assert "changed" in refusal(saved, fingerprint="other data")


def test_the_same_state_gives_the_same_bytes_whatever_the_file_is_called(saved, tmp_path):
    again = tmp_path / "elsewhere.pt"
    for path in (saved, again):
        save_checkpoint(path, {"epoch": 7, "weights": torch.arange(5.0)}, fingerprint="data")
    assert again.read_bytes() == saved.read_bytes()


def test_a_save_that_fails_leaves_the_last_checkpoint(saved, monkeypatch):
    before = saved.read_bytes()
    real = torch.save

    def half(content, file):
        real(content, file)
        file.truncate(file.tell() // 2)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", half)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(saved, {"epoch": 8}, fingerprint="data")
    assert saved.read_bytes() == before
    assert [path.name for path in saved.parent.iterdir()] == ["checkpoint.pt"]
