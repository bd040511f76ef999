"""Settings of the evaluation: the section [evaluation] of a recipe."""

from dataclasses import dataclass

from recsys.settings import Count, CountOrZero, Seed, Settings


@dataclass(frozen=True)
class EvaluationSettings(Settings):
    """
    How recommenders are evaluated.

    Attributes:
        test_days: Length of the test window, and of the validation window before it [d].
        gap_days: Days left out between training and test window [d].
        k: Number of list positions that are evaluated.
        seed: Seed of the bootstrap.
    """

    test_days: Count = 14
    gap_days: CountOrZero = 0
    k: Count = 10
    seed: Seed = 7
