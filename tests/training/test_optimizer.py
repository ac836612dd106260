"""The optimiser's two groups, and the moving average of the weights."""

import geoopt
import pytest
import torch
from torch import nn

from hypgraph.training.optimizer import averaged_model, build_optimizer
from tests.training.karate import karate_trainer


def test_weight_decay_is_on_the_encoder_alone():
    model = karate_trainer().model
    optimizer = build_optimizer(model, lr=0.02, weight_decay=0.5)
    assert isinstance(optimizer, torch.optim.Adam)
    decay = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert [decay[id(p)] for p in model.encoder.parameters()] == [0.5] * 4
    assert {decay[id(p)] for p in model.decoder.parameters()} == {0.0}
    assert len(decay) == len(list(model.parameters()))
    assert {group["lr"] for group in optimizer.param_groups} == {0.02}


def test_a_decoder_without_parameters_is_fine():
    optimizer = build_optimizer(karate_trainer("model.decoder=inner-product").model, lr=0.1, weight_decay=0.0)
    assert len(optimizer.param_groups) == 1


def test_a_parameter_on_a_manifold_stays_on_it():
    model = karate_trainer().model
    point = geoopt.ManifoldParameter(torch.tensor([0.9, 0.0], dtype=torch.float64), manifold=geoopt.PoincareBall())
    model.decoder.register_parameter("point", point)
    optimizer = build_optimizer(model, lr=10.0, weight_decay=0.0)
    assert isinstance(optimizer, geoopt.optim.RiemannianAdam)
    point.grad = torch.tensor([-1.0, 0.3], dtype=torch.float64)
    before = point.detach().clone()
    optimizer.step()
    assert not torch.equal(point, before)
    assert torch.linalg.vector_norm(point.detach()) < 1


@pytest.mark.parametrize("decay", [0.0, 0.3, 0.97])
def test_the_average_forgets_the_start_quickly_and_then_decays_as_asked(decay):
    model = nn.Linear(1, 1, bias=False).double()
    averaged = averaged_model(model, decay)
    expected = None
    for n, value in enumerate([3.0, -1.0, 4.0, 1.0, -5.0, 9.0, 2.0]):
        with torch.no_grad():
            model.weight.fill_(value)
        averaged.update_parameters(model)
        kept = min(decay, (1 + n) / (10 + n))
        # The first update copies: before it there is nothing to average.
        expected = value if expected is None else kept * expected + (1 - kept) * value
        assert averaged.module.weight.item() == pytest.approx(expected, rel=1e-12)


def test_the_average_is_a_copy():
    model = nn.Linear(1, 1)
    averaged = averaged_model(model, 0.9)
    averaged.update_parameters(model)
    before = averaged.module.weight.item()
    with torch.no_grad():
        model.weight.add_(1)
    assert averaged.module.weight.item() == before
