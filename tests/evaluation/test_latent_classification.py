"""Accuracy of classifiers of codes against the Bayes classifier of known densities, and exact counts."""

import math
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from hypgraph.distributions import WrappedNormal
from hypgraph.evaluation.latent_classification import classify_codes
from hypgraph.exceptions import ConfigError, DataError, NumericalError
from hypgraph.manifolds import Euclidean, Lorentz, Manifold, PoincareBall, Polar
from hypgraph.nn import Curvature
from hypgraph.nn.latent_classifier import LatentClassifier
from tests.distributions.reference import F64, place, seeded, spaces

CLASSES = 10


class Labelled(NamedTuple):
    """Codes, their classes, and the log-density of every class at every code."""

    codes: Tensor
    labels: Tensor
    log_density: Tensor

    @property
    def bayes(self) -> Tensor:
        """Whether the best possible classifier is right, ``[N]``; all classes are as frequent."""
        return (self.log_density.argmax(-1) == self.labels).double()

    @property
    def entropy(self) -> float:
        """Mean of -log p(class | code), the least expected cross entropy."""
        posterior = self.log_density.log_softmax(-1)
        return -float(posterior[torch.arange(len(self.labels)), self.labels].mean())


def wrapped_normals(manifold: Manifold, count: int, *, seed: int) -> Labelled:
    """``count`` codes of ten classes, wrapped normals about ten centres."""
    layout = seeded(100)
    centers = Polar.of(1.3 * torch.randn(CLASSES, 2, dtype=F64, generator=layout))
    scales = 0.4 * (0.5 + torch.rand(CLASSES, 2, dtype=F64, generator=layout))
    family, draws = WrappedNormal(centers, scales, manifold), seeded(seed)
    labels = torch.randint(CLASSES, (count,), generator=draws)
    codes = family.sample((count,), generator=draws)[torch.arange(count), labels]
    return Labelled(codes, labels, family.log_prob(codes.unsqueeze(1)))


def two_sides(manifold: Manifold, count: int, *, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Codes near two opposite points that nothing confuses, and on which side each is."""
    labels = torch.arange(count) % 2
    center = torch.stack([4.0 * labels - 2.0, torch.zeros(count)], dim=-1).to(F64)
    return place(manifold, center + 0.2 * torch.randn(count, 2, dtype=F64, generator=seeded(seed))), labels


def accuracies_near_bayes(manifold: Manifold, train: int, test: int, points: float, loss: float) -> None:
    known, unseen = wrapped_normals(manifold, train, seed=1), wrapped_normals(manifold, test, seed=2)
    result = classify_codes(*known[:2], *unseen[:2], manifold, trainings=3)
    bayes = unseen.bayes
    assert (result.average - bayes.mean()).abs().max() < points
    for number in range(CLASSES):
        here = unseen.labels == number
        # Where classes overlap, a boundary moved by little exchanges accuracy between them.
        assert abs(result.per_class[number] - bayes[here].mean()) < 8 * points
    assert (result.train_loss - known.entropy).abs().max() < loss


@pytest.mark.parametrize("manifold", [PoincareBall(2, 1.4), Euclidean(2)], ids=str)
def test_accuracy_and_loss_come_near_those_of_the_bayes_classifier(manifold: Manifold) -> None:
    accuracies_near_bayes(manifold, 8000, 4000, points=0.012, loss=0.03)


@pytest.mark.slow
@pytest.mark.parametrize("manifold", spaces(2, 1.4), ids=str)
def test_with_sixty_thousand_codes_accuracy_is_within_half_a_point_of_bayes(manifold: Manifold) -> None:
    accuracies_near_bayes(manifold, 60000, 10000, points=0.005, loss=0.01)


@pytest.mark.parametrize("manifold", spaces(2), ids=str)
def test_every_test_code_is_scored_once(manifold: Manifold) -> None:
    """Classes that nothing confuses, so the accuracy is exactly the share of right labels."""
    train, labels = two_sides(manifold, 300)
    test, truth = two_sides(manifold, 9001, seed=1)
    told = truth.clone()
    told[[0, 4094, 4096, 8192, 9000]] = 1  # truly 0: class 0 loses five codes, which class 1 counts as missed
    result = classify_codes(train, labels, test, told, manifold, trainings=3, epochs=20, batch_size=100)
    assert result.counts.tolist() == [4496, 4505]
    assert result.average.tolist() == [8996 / 9001] * 3
    torch.testing.assert_close(result.per_class, torch.tensor([1.0, 4500 / 4505], dtype=F64), rtol=0, atol=1e-15)


def test_the_average_weighs_classes_by_their_counts() -> None:
    ball = PoincareBall(2, 1.4)
    known, unseen = wrapped_normals(ball, 500, seed=1), wrapped_normals(ball, 333, seed=2)
    result = classify_codes(*known[:2], *unseen[:2], ball, epochs=3)
    assert result.counts.tolist() == torch.bincount(unseen.labels).tolist()
    weighted = (result.per_class * result.counts).sum() / 333
    torch.testing.assert_close(weighted, result.average.mean(), rtol=1e-12, atol=0)
    assert result.average.shape == result.train_loss.shape == (5,)
    assert result.average.dtype == result.per_class.dtype == F64


def test_equal_seeds_give_equal_results_and_touch_no_global_state() -> None:
    ball = PoincareBall(2, 1.4)
    data = (*wrapped_normals(ball, 500, seed=1)[:2], *wrapped_normals(ball, 300, seed=2)[:2], ball)
    before = torch.get_rng_state()
    one, two, other = (classify_codes(*data, epochs=3, seed=seed) for seed in (4, 4, 5))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert not torch.equal(one.train_loss, other.train_loss)
    assert len(set(one.train_loss.tolist())) == 5


def test_trainings_side_by_side_are_those_alone() -> None:
    ball = PoincareBall(2, 1.4)
    data = (*wrapped_normals(ball, 1000, seed=1)[:2], *wrapped_normals(ball, 1000, seed=2)[:2], ball)
    one, two, five = (classify_codes(*data, trainings=number, epochs=2) for number in (1, 2, 5))
    for few in (one, two):
        number = len(few.average)
        torch.testing.assert_close(few.train_loss, five.train_loss[:number], rtol=1e-4, atol=0)
        torch.testing.assert_close(few.average, five.average[:number], rtol=0, atol=2e-3)


def test_each_epoch_shows_every_code_once_in_new_orders_with_a_falling_learning_rate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates: list[float] = []
    shown: list[Tensor] = []

    class Recording(torch.optim.Adam):
        def step(self, *args: Any, **kwargs: Any) -> Any:
            rates.append(self.param_groups[0]["lr"])
            return super().step(*args, **kwargs)

    forward = LatentClassifier.forward

    def recorded(self: LatentClassifier, x: Tensor | Polar) -> Tensor:
        if torch.is_grad_enabled() and isinstance(x, Polar):
            shown.append(x.radius)
        return forward(self, x)

    monkeypatch.setattr(torch.optim, "Adam", Recording)
    monkeypatch.setattr(LatentClassifier, "forward", recorded)
    codes, labels = two_sides(PoincareBall(2), 25)
    classify_codes(codes, labels, codes, labels, PoincareBall(2), trainings=2, epochs=3, batch_size=10, lr=0.9)
    assert rates == pytest.approx([0.9 * (9 - step) / 9 for step in range(9)])
    assert [tuple(batch.shape) for batch in shown] == [(2, 10), (2, 10), (2, 5)] * 3
    epochs = [torch.cat(shown[start : start + 3], dim=1) for start in (0, 3, 6)]
    every = PoincareBall(2).dist0(codes).sort().values
    for orders in epochs:
        torch.testing.assert_close(orders.sort().values, every.expand(2, -1), rtol=1e-12, atol=0)
    orders = torch.cat(epochs)
    assert len({tuple(order) for order in orders.tolist()}) == 6


def test_a_learnt_curvature_is_taken_as_it_is() -> None:
    curvature = Curvature(1.4)
    learnt, fixed = PoincareBall(2, curvature), PoincareBall(2, 1.4)
    codes, labels = two_sides(fixed, 60)
    one, two = (classify_codes(codes, labels, codes, labels, space, epochs=3) for space in (learnt, fixed))
    assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))
    assert curvature.log_ratio.item() == 0
    assert curvature.log_ratio.grad is None


def test_codes_in_every_coordinates_are_classified_alike() -> None:
    ball, sheet = PoincareBall(2, 0.7), Lorentz(2, 0.7)
    known, unseen = wrapped_normals(ball, 400, seed=1), wrapped_normals(ball, 400, seed=2)
    results = [
        classify_codes(
            place_(known.codes), known.labels.numpy(), place_(unseen.codes), unseen.labels, space, epochs=2
        )
        for place_, space in ((lambda z: z, ball), (ball.to_lorentz, sheet), (ball.to_polar, ball))
    ]
    for result in results[1:]:
        torch.testing.assert_close(result.train_loss, results[0].train_loss, rtol=1e-4, atol=0)


def test_codes_beyond_what_coordinates_can_hold_are_classified_in_polar_coordinates() -> None:
    ball = PoincareBall(2, 1.4)
    labels = torch.arange(400) % 4
    angle = labels * (math.pi / 2) + 0.5 * (2 * torch.rand(400, dtype=F64, generator=seeded(0)) - 1)
    codes = Polar(torch.full((400,), 60.0, dtype=F64), torch.stack([angle.cos(), angle.sin()], dim=-1))
    result = classify_codes(codes, labels, codes, labels, ball, trainings=2, epochs=20, batch_size=50)
    assert result.average.tolist() == [1.0, 1.0]


def test_classes_without_codes_are_kept() -> None:
    ball = PoincareBall(2)
    codes, labels = two_sides(ball, 80)
    result = classify_codes(codes, labels, codes, torch.full((80,), 2), ball, num_classes=5, epochs=2)
    assert result.counts.tolist() == [0, 0, 80, 0, 0]
    assert result.average.tolist() == [0.0] * 5
    assert result.per_class[2] == 0
    assert result.per_class[[0, 1, 3, 4]].isnan().all()
    assert classify_codes(codes, labels, codes, 3 - labels, ball, epochs=1).counts.tolist() == [0, 0, 40, 40]


CODES = torch.tensor([[0.1, 0.2], [-0.3, 0.1], [0.0, 0.5]], dtype=F64)
FAR = torch.tensor([1.0, 2.0, math.inf], dtype=F64)
EAST = torch.tensor([[1.0, 0.0]] * 3, dtype=F64)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"train_codes": CODES[:0], "train_labels": []}, r"train_codes: has shape \(0, 2\), needs \(N, 2\)"),
        ({"test_codes": CODES[:0], "test_labels": []}, r"test_codes: has shape \(0, 2\)"),
        ({"test_codes": CODES[:, :1]}, r"test_codes: has shape \(3, 1\), needs \(N, 2\)"),
        ({"test_codes": CODES[0]}, r"test_codes: has shape \(2,\)"),
        ({"train_codes": CODES * 9}, r"train_codes: not on PoincareBall.*not inside the ball"),
        ({"train_codes": CODES * math.nan}, r"train_codes: not on .*not finite"),
        ({"train_codes": Polar(FAR, EAST)}, r"train_codes: 1 of 3 codes are no polar coordinates"),
        ({"train_codes": Polar(-FAR.sqrt(), EAST)}, r"train_codes: 3 of 3 codes are no polar"),
        ({"test_codes": Polar(CODES[:, 1], CODES)}, r"test_codes: 3 of 3 codes are no polar"),
        (
            {"test_codes": Polar(CODES[:2, 1], EAST)},
            r"test_codes: has shape \(2,\) and \(3, 2\), needs \(N,\) and",
        ),
        ({"train_labels": [0, 1]}, r"train_labels: has shape \(2,\) for 3 codes"),
        ({"test_labels": [[0], [1], [2]]}, r"test_labels: has shape \(3, 1\) for 3 codes"),
        ({"test_labels": [0.0, 1.0, 2.0]}, r"test_labels: has dtype torch.float32; give integers"),
        ({"train_labels": [0, 3, 1]}, r"train_labels: 3 is not the number of a class, which is from 0 to 2"),
        ({"test_labels": [0, 1, -1]}, r"test_labels: -1 is not the number of a class"),
        ({"test_labels": [0, 1, -1], "num_classes": None}, r"test_labels: -1 .* at least 0"),
    ],
)
def test_data_that_do_not_fit_are_refused_in_one_line(wrong: dict[str, Any], words: str) -> None:
    data = {"train_codes": CODES, "train_labels": [0, 1, 2], "test_codes": CODES, "test_labels": [0, 1, 2]}
    with pytest.raises(DataError, match=words) as refused:
        classify_codes(**{**data, "manifold": PoincareBall(2, 1.4), "num_classes": 3, **wrong})
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "option",
    [
        *({name: 0} for name in ("trainings", "epochs", "batch_size", "hidden", "num_classes")),
        *({"lr": value} for value in (0.0, math.nan, math.inf)),
    ],
    ids=str,
)
def test_options_that_are_not_positive_are_refused_in_one_line(option: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"^{next(iter(option))}: ") as refused:
        classify_codes(CODES, [0, 0, 0], CODES, [0, 0, 0], PoincareBall(2), **option)
    assert "\n" not in str(refused.value)


def test_a_loss_that_is_not_finite_names_the_epoch() -> None:
    with pytest.raises(NumericalError, match=r"epoch 1: the cross entropy .* not finite; .*learning rate"):
        classify_codes(CODES, [0, 1, 2], CODES, [0, 1, 2], Euclidean(2), lr=1e30, batch_size=1, epochs=2)
