"""Off-policy evaluation: values by hand, and coverage of intervals on simulated logs."""

import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.feedback.off_policy import doubly_robust, ips, snips
from recsys.feedback.simulator import KINDS, Contexts, simulate_log, softmax

# Ann was once shown what the evaluated policy prefers, bob twice something that it would rarely show.
LOG = pl.DataFrame(
    {
        "user_id": ["ann", "ann", "bob", "bob"],
        "propensity": [0.2, 0.8, 0.5, 0.5],
        "target": [0.8, 0.2, 0.1, 0.1],
        "reward": [1.0, 0.0, 1.0, 0.0],
        "predicted": [0.5, 0.5, 0.25, 0.25],
        "predicted_target": [0.4, 0.4, 0.3, 0.3],
    }
)
WEIGHTS = (4.0, 0.25, 0.2, 0.2)


def test_values_by_hand() -> None:
    """The weights 4, 1/4, 1/5, 1/5 sum to 4.65, the weighted rewards to 4.2: IPS is 4.2 / 4, SNIPS is 4.2 / 4.65."""
    assert ips(LOG).value == pytest.approx(4.2 / 4)
    assert snips(LOG).value == pytest.approx(4.2 / 4.65)
    corrected = (0.4 + 4 * 0.5) + (0.4 - 0.25 * 0.5) + (0.3 + 0.2 * 0.75) + (0.3 - 0.2 * 0.25)
    assert doubly_robust(LOG).value == pytest.approx(corrected / 4)


def test_standard_errors_are_over_listeners_not_decisions() -> None:
    """Residuals are summed per listener; two listeners give one degree of freedom."""
    estimate = ips(LOG)
    of_ann, of_bob = 4 - 2 * 1.05, 0.2 - 2 * 1.05

    assert (estimate.n, estimate.n_listeners) == (4, 2)
    assert estimate.standard_error == pytest.approx(np.sqrt(2 * (of_ann**2 + of_bob**2)) / 4)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.mean_weight == pytest.approx(4.65 / 4)
    assert estimate.n_effective == pytest.approx(4.65**2 / sum(weight**2 for weight in WEIGHTS))
    assert not estimate.is_trusted


def test_the_value_of_the_logging_policy_is_the_mean_reward() -> None:
    """If all weights are 1, the estimators give the mean reward, and the effective sample size is the log's length."""
    same = LOG.with_columns(target="propensity")

    assert ips(same).value == snips(same).value == pytest.approx(0.5)
    assert ips(same).n_effective == pytest.approx(4)


def test_a_target_that_was_never_shown_has_no_self_normalised_value() -> None:
    """With weights of 0 the value is NaN; with one listener there is no interval."""
    never = snips(LOG.with_columns(target=0.0))

    assert np.isnan(never.value)
    assert never.n_effective == 0
    assert np.isnan(ips(LOG.head(2)).low)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [("propensity", 0.0, "expected more than 0"), ("propensity", 1.5, "and at most 1"), ("target", -0.1, "0 to 1")],
)
def test_probabilities_out_of_range_are_refused(column: str, value: float, message: str) -> None:
    """Propensities must be in (0, 1], targets in 0..1."""
    with pytest.raises(InputError, match=message):
        ips(LOG.with_columns(pl.lit(value).alias(column)))


def test_an_empty_log_is_refused() -> None:
    """A log without rows is refused."""
    with pytest.raises(InputError, match="log: found no rows"):
        snips(LOG.clear())


@pytest.mark.parametrize("estimator", [ips, snips, doubly_robust])
def test_intervals_hold_the_truth(estimator: object) -> None:
    """At least 35 of 40 intervals contain the true value; with 95 % coverage, this fails with probability 1/170."""
    assert callable(estimator)
    shown, target, model = (
        np.array([a, b, c, d, *[0.0] * (len(KINDS) - 2)])
        for a, b, c, d in ((1, 0, 0, 0), (0.5, 1, 0, 1.5), (0.1, 0.2, 0.1, 0.1))
    )
    large = Contexts.random(100_000, 10, np.random.default_rng(1))
    truth = large.value(softmax(large.options, target))

    n_covered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        contexts = Contexts.random(1_000, 10, rng)
        policies = softmax(contexts.options, shown), softmax(contexts.options, target)
        estimate = estimator(simulate_log(contexts, *policies, predicted=contexts.options @ model, rng=rng))
        n_covered += estimate.low <= truth <= estimate.high

    assert n_covered >= 35
