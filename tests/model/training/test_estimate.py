"""What a run costs on this machine, and the steps that fit a time."""

import dataclasses
import math

import pytest

import hamvae_model as hv
from hamvae_model.data import Characters
from hamvae_model.training.estimate import Cost, cost, shortened

pytestmark = pytest.mark.usefixtures("hurried")


@pytest.fixture
def price() -> Cost:
    """Of a machine that takes a fifth of a second for a step and two seconds for a sheet."""
    return Cost(step_seconds=0.2, sheet_seconds=2.0, memory_bytes=None)


def test_the_cost_is_measured_and_that_of_a_run_grows_with_its_steps(tiny: hv.Config, builtin: Characters) -> None:
    found = cost(tiny, builtin)
    assert found.step_seconds > 0 and found.sheet_seconds > 0
    assert found.memory_bytes is None or found.memory_bytes > 10**8
    few, many = (dataclasses.replace(tiny.training, steps=steps) for steps in (10, 10**6))
    assert 0 < found.minutes(few) < found.minutes(many)


@pytest.mark.parametrize("minutes", [1.0, 6.0, 90.0])
def test_a_run_fitted_to_a_time_takes_that_time_and_no_longer(price: Cost, tiny: hv.Config, minutes: float) -> None:
    asked = dataclasses.replace(tiny.training, steps=2600, warmup=200, sample_every=250, save_every=250)
    fitted = shortened(asked, price.steps(asked, minutes))
    assert minutes * 0.93 <= price.minutes(fitted) <= minutes
    assert fitted.warmup <= fitted.steps / 10 and fitted.warmup <= 200
    assert -(-fitted.steps // fitted.sample_every) >= 10
    assert dataclasses.replace(fitted, steps=2600, warmup=200, sample_every=250, save_every=250) == asked


def test_a_time_too_short_for_anything_is_one_step(price: Cost, tiny: hv.Config) -> None:
    assert price.steps(tiny.training, 0.001) == 1


@pytest.mark.parametrize("minutes", [0.0, -1.0, math.inf, math.nan])
def test_a_time_that_is_not_positive_is_refused(price: Cost, tiny: hv.Config, minutes: float) -> None:
    with pytest.raises(hv.UsageError, match="a positive number of minutes"):
        price.steps(tiny.training, minutes)
