"""Linear layers, alone and side by side, against NumPy."""

import numpy as np
import pytest
import torch

from hypgraph.nn import Linear
from hypgraph.nn.linear import affine
from tests.distributions.reference import F64, seeded


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, dtype=F64, generator=seeded(seed))


@pytest.mark.parametrize("batch", [(), (5,), (2, 5), (3, 2, 5), (0,)], ids=str)
def test_one_layer_is_the_matrix_product_and_the_bias(batch: tuple[int, ...]) -> None:
    x, weight, bias = random(*batch, 4), random(3, 4, seed=1), random(3, seed=2)
    out = affine(x, weight, bias)
    assert out.shape == (*batch, 3)
    np.testing.assert_allclose(out, np.einsum("...i,oi->...o", x, weight) + bias.numpy(), rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("lead", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("count", [1, 2, 5])
def test_stacked_layers_see_their_own_slice_each(lead: tuple[int, ...], count: int) -> None:
    x, weight, bias = random(*lead, 2, count, 4), random(2, 3, 4, seed=1), random(2, 3, seed=2)
    out = affine(x, weight, bias)
    assert out.shape == (*lead, 2, count, 3)
    for run in range(2):
        expected = np.einsum("...i,oi->...o", x[..., run, :, :], weight[run]) + bias[run].numpy()
        np.testing.assert_allclose(out[..., run, :, :], expected, rtol=1e-13, atol=1e-14)


def test_stacked_layers_show_one_batch_to_all() -> None:
    x, weight, bias = random(5, 4), random(2, 3, 4, seed=1), random(2, 3, seed=2)
    expected = np.einsum("bi,roi->rbo", x, weight) + bias[:, None].numpy()
    np.testing.assert_allclose(affine(x, weight, bias), expected, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("shape", [(5, 4), (2, 5, 4), (3, 2, 5, 4)], ids=str)
@pytest.mark.parametrize("stacked", [False, True])
def test_gradients_are_those_of_finite_differences(shape: tuple[int, ...], stacked: bool) -> None:
    lead = (2,) if stacked else ()
    inputs = (random(*shape), random(*lead, 3, 4, seed=1), random(*lead, 3, seed=2))
    assert torch.autograd.gradcheck(affine, [tensor.requires_grad_() for tensor in inputs])


def test_initial_weights_are_those_of_torch_and_come_from_the_generator() -> None:
    before = torch.get_rng_state()
    one, two, other = (Linear(16, 500, generator=seeded(s)) for s in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(one.weight, two.weight)
    assert torch.equal(one.bias, two.bias)
    assert not torch.equal(one.weight, other.weight)
    assert all(parameter.dtype == torch.float32 for parameter in one.parameters())
    for parameter in (one.weight.detach(), one.bias.detach()):  # uniform on ±1/4
        assert 0.24 < parameter.abs().max() <= 0.25
        assert abs(parameter.mean()) < 0.03
        assert parameter.std().item() == pytest.approx(0.25 / 3**0.5, rel=0.1)
    assert (one.weight.shape, one.bias.shape) == ((500, 16), (500,))
