"""Training an epoch at a time: reproducible, resumable, stopped on validation, blind to what is held out."""

import dataclasses
import io
import json
import math

import pytest
import torch

from hypgraph.config import FLAT_DEFAULTS, load_config
from hypgraph.distributions import FAMILIES
from hypgraph.exceptions import NumericalError
from hypgraph.manifolds import MANIFOLDS
from hypgraph.nn import EDGE_DECODERS
from hypgraph.random import stream
from hypgraph.training import all_at_origin, score_links
from hypgraph.training.trainer import EpochRecord, LinkTrainer, link_logits
from tests.training.karate import epochs, karate_split, karate_task, karate_trainer


def saved_and_loaded(state):
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_the_same_seed_gives_the_same_numbers():
    assert epochs(karate_trainer(seed=5), 4) == epochs(karate_trainer(seed=5), 4)
    assert epochs(karate_trainer(seed=5), 4) != epochs(karate_trainer(seed=6), 4)


def test_the_global_generator_is_neither_read_nor_seeded():
    torch.manual_seed(1)
    first = epochs(karate_trainer(), 3)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert epochs(karate_trainer(), 3) == first
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("at", [0, 1, 5])
def test_a_trainer_restored_from_its_state_goes_on_bit_by_bit(at):
    whole = karate_trainer()
    expected = epochs(whole, 9)
    stopped = karate_trainer()
    assert epochs(stopped, at) == expected[:at]
    state = saved_and_loaded(stopped.state_dict())
    other = karate_trainer(seed=99, split=karate_split())  # other weights and other randomness, to be replaced
    other.load_state_dict(state)
    assert epochs(other, 9 - at) == expected[at:]
    assert other.best.epoch == whole.best.epoch
    assert other.best.val == whole.best.val
    weights, restored = whole.best_model().state_dict(), other.best_model().state_dict()
    assert all(torch.equal(weights[name], restored[name]) for name in weights)


def test_taking_the_state_does_not_disturb_the_training():
    plain, watched = karate_trainer(), karate_trainer()
    records = []
    for _ in range(4):
        saved_and_loaded(watched.state_dict())
        records += epochs(watched, 1)
    assert records == epochs(plain, 4)


def test_held_out_edges_do_not_reach_the_training():
    """Whatever is held out, even non-edges in the place of edges, the losses are the same to the last bit."""
    split = karate_split()
    swapped = dataclasses.replace(
        split,
        val_edge_index=split.val_neg_edge_index,
        val_neg_edge_index=split.val_edge_index,
        test_edge_index=split.test_neg_edge_index,
        test_neg_edge_index=split.test_edge_index,
    )
    records = [epochs(karate_trainer(split=one), 6) for one in (split, swapped)]
    for left, right in zip(*records, strict=True):
        left, right = EpochRecord(*left), EpochRecord(*right)
        assert left[:5] == right[:5]  # epoch, loss and its terms
        assert left.val_auc == pytest.approx(1 - right.val_auc)  # and the validation does look at them


def test_a_record_holds_the_terms_of_the_objective_and_no_time():
    record = karate_trainer("model.beta=3").run_epoch()
    assert record._fields == ("epoch", "loss", "reconstruction", "kl", "pulled_in", "val_auc", "val_ap", "c")
    assert record.epoch == 1
    assert record.loss == pytest.approx(record.reconstruction + 3 / 34 * record.kl, rel=1e-12)
    for share in (record.pulled_in, record.val_auc, record.val_ap):
        assert 0 <= share <= 1


@pytest.mark.parametrize("latent", MANIFOLDS)
@pytest.mark.parametrize("decoder", EDGE_DECODERS)
@pytest.mark.parametrize("dim", [1, 2, 16])
def test_every_decoder_trains_on_every_latent(latent, decoder, dim):
    trainer = karate_trainer(f"model.latent={latent}", f"model.decoder={decoder}", f"model.dim={dim}")
    before = [parameter.detach().clone() for parameter in trainer.model.parameters()]
    for record in epochs(trainer, 3):
        assert all(math.isfinite(value) for value in record)
    assert all(torch.isfinite(parameter).all() for parameter in trainer.model.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, trainer.model.parameters(), strict=True))


@pytest.mark.parametrize("decoder", EDGE_DECODERS)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_two_models_of_hyperbolic_space_train_alike(decoder, dtype):
    options = (f"model.decoder={decoder}", f"model.dtype={dtype}", "model.c=0.7")
    ball = epochs(karate_trainer("model.latent=poincare", *options), 10)
    hyperboloid = epochs(karate_trainer("model.latent=lorentz", *options), 10)
    tolerance = 1e-6 if dtype == "float64" else 1e-2
    for left, right in zip(ball, hyperboloid, strict=True):
        assert left[:4] == pytest.approx(right[:4], rel=tolerance)
        if dtype == "float64":
            assert left[5:] == right[5:]


@pytest.mark.parametrize("posterior", FAMILIES)
@pytest.mark.parametrize("prior", FAMILIES)
@pytest.mark.parametrize("dim", [1, 2, 16])
def test_every_posterior_trains_against_every_prior(posterior, prior, dim):
    options = (f"model.posterior={posterior}", f"model.prior={prior}", f"model.dim={dim}", "model.dtype=float32")
    for record in epochs(karate_trainer(*options), 3):
        assert all(math.isfinite(value) for value in record)


@pytest.mark.parametrize("latent", ["poincare", "lorentz"])
@pytest.mark.parametrize("posterior", FAMILIES)
def test_a_learnt_curvature_moves_and_is_recorded(latent, posterior):
    trainer = karate_trainer(f"model.latent={latent}", f"model.posterior={posterior}", "model.learn_c=true")
    curvatures = [EpochRecord(*record).c for record in epochs(trainer, 10)]
    assert 0.95 < curvatures[0] < 1.05
    assert len(set(curvatures)) == 10
    assert all(abs(math.log(c)) < 0.1 for c in curvatures)


def test_a_small_curvature_trains_like_flat_space():
    """Ball coordinates aside, geodesic lengths are those of flat space as c → 0."""
    given = load_config(assignments=["model.latent=euclidean"])  # whose defaults are not those of the ball
    same = [
        *(f"model.{key}={json.dumps(getattr(given.model, key))}" for key in FLAT_DEFAULTS["model"]),
        *(f"training.{key}={getattr(given.training, key)}" for key in FLAT_DEFAULTS["training"]),
    ]
    nearly_flat = epochs(karate_trainer("model.c=1e-9", *same), 5)
    flat = epochs(karate_trainer("model.latent=euclidean"), 5)
    for left, right in zip(nearly_flat, flat, strict=True):
        assert left[:-1] == pytest.approx(right[:-1], rel=1e-4)
        assert (left[-1], right[-1]) == (1e-9, 0)  # c


def test_training_learns_the_training_edges():
    trainer = karate_trainer("training.lr=0.02", "model.dropout=0", "training.weight_decay=0")
    task = trainer.task
    pairs = (task.positive, task.negatives.sample(1000, generator=stream(0, "test")))
    (before,) = score_links(trainer.model, task, pairs)
    losses = [EpochRecord(*record).loss for record in epochs(trainer, 120)]
    (after,) = score_links(trainer.model, task, pairs)
    assert sum(losses[-20:]) / 20 < 0.7 * losses[0]
    assert after.auc > before.auc + 0.05


def test_an_epoch_is_scored_by_auc_and_ap_of_validation():
    trainer = karate_trainer("model.dropout=0")
    trainer.validate()
    (val,) = score_links(trainer.averaged.module, trainer.task, trainer.task.val)
    assert val.auc != val.ap
    assert trainer.best.score == val.auc + val.ap


def test_where_hits_decide_they_are_those_of_validation():
    trainer = karate_trainer("model.dropout=0")
    trainer.task = dataclasses.replace(trainer.task, hits_at=2)
    logits = link_logits(trainer.averaged.module, trainer.task, *trainer.task.val, *trainer.task.test)
    # Hits@2: the share of edges above the second best of the non-edges
    val, test = (
        (edges > others.sort().values[-2]).double().mean().item() for edges, others in (logits[:2], logits[2:])
    )
    assert val != test
    trainer.validate()
    assert trainer.best.score == val


def test_the_best_weights_are_those_of_the_best_validation():
    trainer = karate_trainer("training.lr=0.05")
    records = [EpochRecord(*record) for record in epochs(trainer, 40)]
    sums = [record.val_auc + record.val_ap for record in records]
    assert trainer.best.epoch == 1 + sums.index(max(sums))  # the first of equals
    assert sum(trainer.best.val) == max(sums)
    (val,) = score_links(trainer.best_model(), trainer.task, trainer.task.val)
    assert val == trainer.best.val


def test_a_look_at_the_best_model_does_not_disturb_the_training():
    plain, watched = karate_trainer("training.lr=0.05"), karate_trainer("training.lr=0.05")
    records = []
    for _ in range(4):
        records += epochs(watched, 3)
        with torch.no_grad():
            for weight in watched.best_model().parameters():
                weight.zero_()
    assert records == epochs(plain, 12)
    weights, expected = watched.best_model().state_dict(), plain.best_model().state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


@pytest.mark.parametrize("latent", MANIFOLDS)
def test_centres_that_all_lie_at_the_origin_are_noticed(latent):
    trainer = karate_trainer(f"model.latent={latent}", "model.nonnegative=true")
    model = trainer.best_model()
    assert not all_at_origin(model, trainer.task)
    with torch.no_grad():
        for weight in model.encoder.parameters():
            weight.zero_()
    assert all_at_origin(model, trainer.task)


def scripted(monkeypatch, trainer, scores):
    """Lets validation return ``scores`` one after the other."""
    from hypgraph.evaluation import LinkMetrics

    values = iter(scores)
    monkeypatch.setattr(
        "hypgraph.training.trainer.score_links", lambda *_args: [LinkMetrics(value := next(values), value)]
    )
    done_after = 0
    while not trainer.done:
        trainer.run_epoch()
        done_after += 1
    return done_after


@pytest.mark.parametrize(
    ("patience", "scores", "stopped", "best"),
    [
        (3, [0.5, 0.6, 0.6, 0.5, 0.4, 0.9], 5, 2),  # an equal score is not a better one
        (3, [0.5, 0.4, 0.4, 0.6, 0.1, 0.1, 0.1, 0.9], 7, 4),
        (1, [0.5, 0.4, 0.9], 2, 1),
        (0, [0.5] + [0.1] * 11, 12, 1),  # 0 never stops early
        (100, [0.1] * 12, 12, 1),
    ],
)
def test_training_stops_when_patience_is_out(patience, scores, stopped, best, monkeypatch):
    trainer = karate_trainer(f"training.patience={patience}", "training.epochs=12")
    assert scripted(monkeypatch, trainer, scores) == stopped
    assert trainer.epoch == stopped
    assert trainer.best.epoch == best


def test_a_trainer_that_is_done_stays_done_when_it_is_restored(monkeypatch):
    trainer = karate_trainer("training.patience=2", "training.epochs=12")
    scripted(monkeypatch, trainer, [0.5, 0.4, 0.4])
    restored = karate_trainer("training.patience=2", "training.epochs=12")
    restored.load_state_dict(saved_and_loaded(trainer.state_dict()))
    assert restored.done


def test_scoring_does_not_draw_and_leaves_the_mode_alone():
    trainer = karate_trainer()
    epochs(trainer, 2)
    task = trainer.task
    trainer.model.train()
    first = score_links(trainer.model, task, task.val, task.test)
    assert trainer.model.training
    trainer.model.eval()
    assert score_links(trainer.model, task, task.val, task.test) == first
    assert not trainer.model.training
    assert score_links(trainer.model, task, task.test) == first[1:]


@pytest.mark.parametrize("term", ["loss", "reconstruction", "kl"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_names_epoch_and_quantity_and_changes_nothing(term, value, monkeypatch):
    trainer, twin = karate_trainer(), karate_trainer()
    epochs(trainer, 2)
    expected = epochs(twin, 3)
    objective = trainer.model.objective

    def broken(*args, **kwargs):
        terms = objective(*args, **kwargs)
        return terms._replace(**{term: terms.loss * value})

    monkeypatch.setattr(trainer.model, "objective", broken)
    with pytest.raises(NumericalError, match=rf"{term}.*epoch 3") as caught:
        trainer.run_epoch()
    assert len(str(caught.value).splitlines()) == 1
    monkeypatch.undo()
    assert trainer.epoch == 2
    assert epochs(trainer, 1) == expected[2:]  # the state is that before the epoch, the generator's too


def test_weights_that_overflow_in_the_step_name_the_epoch():
    with pytest.raises(NumericalError, match="epoch 1") as caught:
        karate_trainer("training.lr=1e30").run_epoch()
    assert len(str(caught.value).splitlines()) == 1


def test_the_weights_of_before_the_first_epoch_can_be_scored():
    trainer: LinkTrainer = karate_trainer()
    (val,) = score_links(trainer.best_model(), trainer.task, trainer.task.val)
    assert 0 <= val.auc <= 1
    assert trainer.state_dict()["best"] is None


def test_another_task_is_another_training():
    """The split decides what is learnt: the seed of the weights alone does not."""
    left, right = karate_trainer(split=karate_split(0)), karate_trainer(split=karate_split(1))
    assert not torch.equal(left.task.positive, right.task.positive)
    assert epochs(left, 1) != epochs(right, 1)
    assert torch.equal(karate_task(karate_split(0)).positive, left.task.positive)
