"""Training of a VAE: seeds side by side, resuming, and errors."""

import math

import pytest
import torch

from hypgraph.exceptions import ConfigError, DataError, NumericalError
from hypgraph.models import VAE, build_vae, stack_models, unstack_model
from hypgraph.random import StackedGenerators, stream
from hypgraph.training.vae_trainer import VAETrainer

SPACES = [
    {"latent": "euclidean", "posterior": "wrapped", "scales": "diagonal"},
    {"latent": "poincare", "posterior": "wrapped", "scales": "diagonal", "c": 1.2},
    {"latent": "poincare", "posterior": "riemannian", "c": 0.7},
    {"latent": "poincare", "posterior": "rown", "c": 0.7},
    {"latent": "lorentz", "posterior": "wrapped", "c": 1.0},
    {"latent": "poincare", "posterior": "wrapped", "decoder": "mobius"},
    {"latent": "poincare", "posterior": "wrapped", "decoder": "logmap"},
    {"latent": "poincare", "posterior": "riemannian", "decoder": "linear"},
]


def model_of(seed: int, space: dict[str, object], **options: object) -> VAE:
    options = {"hidden": 16, "dim": 2, "prior_scale": 1.7, **space, **options}
    return build_vae(10, generator=stream(seed, "init"), **options).double()  # type: ignore[arg-type]


def trainer_of(model: VAE, data: torch.Tensor, generator: torch.Generator | StackedGenerators) -> VAETrainer:
    return VAETrainer(model, data, batch_size=8, lr=1e-2, generator=generator)


def vectors(seed: int, count: int = 36) -> torch.Tensor:
    return torch.randn(count, 10, dtype=torch.float64, generator=stream(seed, "data"))


def everything(model: torch.nn.Module) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


@pytest.mark.parametrize("space", SPACES, ids=lambda space: "-".join(map(str, space.values())))
@pytest.mark.parametrize("own_data", [True, False])
def test_twenty_steps_side_by_side_are_those_of_each_seed_alone(space: dict[str, object], own_data: bool) -> None:
    seeds = (3, 0, 11)
    sets = [vectors(seed if own_data else 7) for seed in seeds]
    stacked = trainer_of(
        stack_models([model_of(seed, space) for seed in seeds]),
        torch.stack(sets) if own_data else sets[0],
        StackedGenerators([stream(seed, "train") for seed in seeds]),
    )
    together = [stacked.run_epoch() for _ in range(4)]  # five steps each, the last of a batch of four
    for number, seed in enumerate(seeds):
        alone = trainer_of(model_of(seed, space), sets[number], stream(seed, "train"))
        for epoch in range(4):
            (record,) = alone.run_epoch()
            torch.testing.assert_close(tuple(together[epoch][number]), tuple(record), rtol=1e-9, atol=1e-9)
        torch.testing.assert_close(
            everything(unstack_model(stacked.model, number)), everything(alone.model), rtol=1e-9, atol=1e-9
        )


def test_seeds_side_by_side_do_not_depend_on_their_company() -> None:
    def after(seeds: tuple[int, ...]) -> torch.Tensor:
        model = stack_models([model_of(seed, SPACES[2]) for seed in seeds])
        data = torch.stack([vectors(seed) for seed in seeds])
        trainer = trainer_of(model, data, StackedGenerators([stream(seed, "train") for seed in seeds]))
        trainer.run_epoch()
        return everything(unstack_model(trainer.model, seeds.index(5)))

    torch.testing.assert_close(after((5, 1)), after((2, 8, 5)), rtol=1e-9, atol=1e-9)


def test_a_trainer_goes_on_from_its_state_to_the_same_bits() -> None:
    def fresh() -> VAETrainer:
        model = stack_models([model_of(seed, SPACES[1]) for seed in (0, 1)])
        return trainer_of(model, vectors(0), StackedGenerators([stream(seed, "train") for seed in (0, 1)]))

    whole, first, second = fresh(), fresh(), fresh()
    records = [whole.run_epoch() for _ in range(4)]
    assert [first.run_epoch() for _ in range(2)] == records[:2]
    second.load_state_dict(first.state_dict())
    assert [second.run_epoch() for _ in range(2)] == records[2:]
    assert torch.equal(everything(second.model), everything(whole.model))


def test_an_epoch_sees_every_vector_once() -> None:
    seen: list[torch.Tensor] = []

    class Spy(VAETrainer):
        def step(self, x: torch.Tensor) -> torch.Tensor:
            seen.append(x)
            return super().step(x)

    data = vectors(0, 21)
    trainer = Spy(model_of(0, SPACES[0]), data, batch_size=8, lr=1e-3, generator=stream(0, "train"))
    trainer.run_epoch()
    assert [len(batch) for batch in seen] == [8, 8, 5]
    got = torch.cat(seen)
    assert torch.equal(got[got[:, 0].argsort()], data[data[:, 0].argsort()])
    assert not torch.equal(got, data)


def test_training_lowers_the_loss() -> None:
    data = vectors(0, 200) @ torch.diag(torch.tensor([3.0, 3.0, *[0.3] * 8], dtype=torch.float64))
    for space in SPACES[:3]:
        trainer = trainer_of(model_of(0, space), data, stream(0, "train"))
        first = trainer.run_epoch()[0].loss
        for _ in range(15):
            (record,) = trainer.run_epoch()
        assert record.loss < first - 1.0
        assert math.isclose(record.loss, record.reconstruction + record.kl, rel_tol=1e-9)


def test_a_loss_that_is_not_finite_is_an_error_that_names_run_and_epoch() -> None:
    data = torch.stack([vectors(0), vectors(1)])
    data[1, 3, 2] = 1e300  # its square is not finite
    model = stack_models([model_of(seed, SPACES[0]) for seed in (0, 1)])
    trainer = trainer_of(model, data, StackedGenerators([stream(seed, "train") for seed in (0, 1)]))
    with pytest.raises(NumericalError, match=r"run 2 of 2: loss is .* at epoch 1; try a lower lr"):
        trainer.run_epoch()


def test_data_that_the_likelihood_is_not_for_are_refused() -> None:
    data = vectors(0)
    data[3, 2] = math.inf
    with pytest.raises(DataError, match="not finite"):
        trainer_of(model_of(0, SPACES[0]), data, stream(0, "train"))
    with pytest.raises(DataError, match=r"run from .* but a bernoulli likelihood is for values in \[0, 1\]"):
        trainer_of(model_of(0, SPACES[0], likelihood="bernoulli"), vectors(0), stream(0, "train"))


def test_models_with_a_learnt_curvature_cannot_be_stacked() -> None:
    models = [model_of(seed, SPACES[1], learn_c=True) for seed in (0, 1)]
    with pytest.raises(ConfigError, match="one after the other"):
        stack_models(models)
    (record,) = trainer_of(models[0], vectors(0), stream(0, "train")).run_epoch()
    assert math.isfinite(record.loss)
