import pytest
import torch

from hypgraph.exceptions import DeviceError
from hypgraph.training import resolve_device


@pytest.mark.parametrize(("available", "expected"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_a_gpu_where_there_is_one(available, expected, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: available)
    assert resolve_device("auto") == torch.device(expected)


def test_cpu_is_cpu_even_beside_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("cuda") == torch.device("cuda")


@pytest.mark.parametrize("built", [True, False])
def test_cuda_without_a_gpu_is_refused_with_the_reason_and_the_remedy(built, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: built)
    with pytest.raises(DeviceError, match=r"--device cuda.*--device cpu") as caught:
        resolve_device("cuda")
    assert ("no GPU" in str(caught.value)) == built
    assert ("without CUDA" in str(caught.value)) != built
