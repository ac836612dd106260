"""Configurations: where values come from, and what is refused."""

import contextlib
import io
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hypgraph.cli.config import show
from hypgraph.config import RunConfig, load_config
from hypgraph.exceptions import ConfigError
from hypgraph.experiments.experiment import load_experiment
from hypgraph.experiments.experiment_file import experiment_names

CONFIGS = Path(__file__).resolve().parents[1] / "configs"


def refusal(*args, **kwargs):
    """The message with which ``load_config`` refuses; it must be one line."""
    with pytest.raises(ConfigError) as caught:
        load_config(*args, **kwargs)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def written(folder, text, name="run.toml"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_given_is_the_defaults():
    assert load_config() == RunConfig()


def test_the_default_run_is_cora_on_the_poincare_ball():
    config = RunConfig()
    assert (config.data.name, config.model.latent, config.model.decoder) == ("cora", "poincare", "auto")
    assert (config.model.dim, config.model.c, config.model.posterior) == (16, 1.0, "wrapped")
    assert (config.data.val_fraction, config.data.test_fraction) == (0.05, 0.10)
    assert config.model.dtype == "float64"


def test_the_order_is_defaults_then_file_then_flags_then_set(tmp_path):
    path = written(tmp_path, "[model]\ndim = 2\nhidden = 3\nc = 4.0\n[training]\nepochs = 5\n")
    config = load_config(
        path,
        overrides={"model.hidden": 30, "model.c": 40.0, "training.epochs": 50},
        assignments=["model.c=400", "training.lr=0.5"],
    )
    assert config.model.gain == RunConfig().model.gain  # default
    assert config.model.dim == 2  # file
    assert (config.model.hidden, config.training.epochs) == (30, 50)  # flag over file
    assert config.model.c == 400.0  # --set over flag over file
    assert config.training.lr == 0.5  # --set over default


def test_a_flag_that_is_not_given_leaves_the_file_alone(tmp_path):
    path = written(tmp_path, "[model]\ndim = 2\n")
    assert load_config(path, overrides={"model.dim": None}).model.dim == 2


def test_the_last_of_two_assignments_counts():
    assert load_config(assignments=["model.dim=2", "model.dim=3"]).model.dim == 3


@pytest.mark.parametrize(
    ("assignment", "section", "key", "value"),
    [
        ("model.latent=lorentz", "model", "latent", "lorentz"),
        ('model.latent="lorentz"', "model", "latent", "lorentz"),
        ("training.lr=1e-3", "training", "lr", 1e-3),
        ("model.nonnegative=true", "model", "nonnegative", True),
        ("data.name=a=b.csv", "data", "name", "a=b.csv"),
        ("data.name=my graph.csv", "data", "name", "my graph.csv"),
        (" training.seeds = 10 ", "training", "seeds", 10),
    ],
)
def test_an_assignment_is_read_as_toml_and_a_bare_word_as_a_string(assignment, section, key, value):
    assert getattr(getattr(load_config(assignments=[assignment]), section), key) == value


def test_a_configuration_cannot_be_changed_in_place():
    with pytest.raises(ValidationError, match="frozen"):
        RunConfig().model.dim = 3


@pytest.mark.parametrize(
    ("assignment", "given", "allowed"),
    [
        ("model.dim=0", "0", "greater than or equal to 1"),
        ("model.dim=2.5", "2.5", "integer"),
        ("model.dim=two", "two", "integer"),
        ("model.c=0", "0", "greater than 0"),
        ("model.c=-1", "-1", "greater than 0"),
        ("model.c=nan", "nan", "finite"),
        ("model.c=inf", "inf", "finite"),
        ("model.hidden=0", "0", "greater than or equal to 1"),
        ("model.dropout=1", "1", "less than 1"),
        ("model.dropout=-0.1", "-0.1", "greater than or equal to 0"),
        ("model.dropout=nan", "nan", ""),
        ("model.normalisation=rows", "rows", "'row' or 'symmetric'"),
        ("model.gain=0", "0", "greater than 0"),
        ("model.nonnegative=perhaps", "perhaps", "boolean"),
        ("model.initial_scale=0", "0", "greater than 0"),
        ("model.prior_scale=-2", "-2", "greater than 0"),
        ("model.beta=-1", "-1", "greater than or equal to 0"),
        ("model.beta=inf", "inf", "finite"),
        ("model.dtype=float16", "float16", "'float64' or 'float32'"),
        ("model.latent=3", "3", "string"),
        ("data.val_fraction=0", "0", "greater than 0"),
        ("data.val_fraction=1", "1", "less than 1"),
        ("data.test_fraction=nan", "nan", ""),
        ("training.epochs=-3", "-3", "greater than or equal to 1"),
        ("training.epochs=0", "0", "greater than or equal to 1"),
        ("training.patience=-1", "-1", "greater than or equal to 0"),
        ("training.lr=nan", "nan", "finite"),
        ("training.lr=0", "0", "greater than 0"),
        ("training.lr=fast", "fast", "number"),
        ("training.weight_decay=-1", "-1", "greater than or equal to 0"),
        ("training.averaging=1", "1", "less than 1"),
        ("training.seed=-1", "-1", "greater than or equal to 0"),
        ("training.seeds=0", "0", "greater than or equal to 1"),
        ("training.device=gpu", "gpu", "'auto', 'cpu' or 'cuda'"),
        ("training.checkpoint_every=0", "0", "greater than or equal to 1"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_with_key_value_and_what_is_allowed(assignment, given, allowed):
    message = refusal(assignments=[assignment])
    assert assignment.partition("=")[0] in message
    assert given in message
    assert allowed in message


@pytest.mark.parametrize(
    ("assignment", "suggestion"),
    [("model.dims=3", "'dim'"), ("modle.dim=3", "'model'"), ("training.epoch=3", "'epochs'")],
)
def test_an_unknown_key_is_refused_with_a_suggestion(assignment, suggestion):
    message = refusal(assignments=[assignment])
    assert assignment.partition("=")[0].split(".")[0] in message
    assert f"did you mean {suggestion}?" in message


def test_an_unknown_key_of_a_file_is_refused(tmp_path):
    assert "'model.curvature'" in refusal(written(tmp_path, "[model]\ncurvature = 1.0\n"))


@pytest.mark.parametrize("assignment", ["model.dim", "dim=3", "model=3", "=3", "model.=3", ""])
def test_an_assignment_that_is_not_section_key_value_is_refused_with_the_way_to_write_it(assignment):
    assert "section.key" in refusal(assignments=[assignment])


@pytest.mark.parametrize("text", ["data = 3\n", "[[data]]\nname = 'karate'\n"])
@pytest.mark.parametrize("overrides", [{}, {"data.name": "karate"}])
def test_a_section_that_is_no_table_is_refused(text, overrides, tmp_path):
    assert "data" in refusal(written(tmp_path, text), overrides=overrides)


def test_a_file_that_cannot_be_used_is_named(tmp_path):
    binary = tmp_path / "binary.toml"
    binary.write_bytes(bytes(range(256)))
    bad = {
        tmp_path / "nowhere.toml": "no such",
        tmp_path: "is a folder",
        binary: "cannot be read",
        written(tmp_path, "model = [", "half.toml"): "malformed",
        written(tmp_path, "{", "half.json"): "malformed",
        written(tmp_path, "", "empty.json"): "malformed",
        written(tmp_path, "[1]", "list.json"): "sections",
    }
    for path, why in bad.items():
        message = refusal(path)
        assert str(path) in message
        assert why in message


def test_an_empty_toml_file_is_the_defaults(tmp_path):
    assert load_config(written(tmp_path, "")) == RunConfig()


configurations = st.builds(
    lambda data, model, training: RunConfig.model_validate({"data": data, "model": model, "training": training}),
    data=st.fixed_dictionaries({"name": st.text(st.characters(exclude_categories=["Cs"]), min_size=1)}),
    model=st.fixed_dictionaries(
        {
            "c": st.floats(0, exclude_min=True, allow_infinity=False),
            "gain": st.floats(1e-30, 1e30),
            "nonnegative": st.booleans(),
            "dtype": st.sampled_from(["float32", "float64"]),
        }
    ),
    training=st.fixed_dictionaries({"lr": st.floats(1e-300, 1e300), "seed": st.integers(0, 2**62)}),
)


@given(configurations)
def test_config_json_is_taken_back_whatever_it_holds(tmp_path_factory, config):
    path = tmp_path_factory.mktemp("run") / "config.json"
    path.write_text(json.dumps(config.model_dump(mode="json")), encoding="utf-8")
    assert load_config(path) == config


def shown(*assignments, config=None):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        show(config=config, assignments=list(assignments))
    return output.getvalue()


@given(configurations)
def test_what_config_show_prints_is_toml_and_loads_back_to_the_same(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("run")
    path = folder / "config.json"
    path.write_text(json.dumps(config.model_dump(mode="json")), encoding="utf-8")
    text = shown(config=path)
    tomllib.loads(text)
    assert load_config(written(folder, text)) == config


def test_config_show_says_what_every_key_means():
    text = shown()
    for section in RunConfig.model_fields:
        assert f"[{section}]" in text
        for key, field in type(getattr(RunConfig(), section)).model_fields.items():
            assert field.description
            assert f"{key} =" in text
            assert " ".join(field.description.split()) in text


def test_an_experiment_file_is_told_from_a_configuration():
    with pytest.raises(ConfigError, match=r"is an experiment file: run it with hypgraph experiment run .*trees"):
        load_config(CONFIGS / "trees.toml")


def test_every_configuration_of_the_project_loads():
    refused, experiments = {}, experiment_names()
    for path in CONFIGS.glob("*.toml"):
        try:
            load_experiment(path) if path.stem in experiments else load_config(path)
        except ConfigError as error:
            refused[path.name] = str(error)
    assert refused == {}
