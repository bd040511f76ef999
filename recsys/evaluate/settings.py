"""Settings of the evaluation: the section [evaluation] of a recipe."""

from dataclasses import dataclass

from recsys.errors import refuse_below


@dataclass(frozen=True)
class EvaluationSettings:
    """
    How recommenders are evaluated.

    Attributes:
        test_days: Length of the test window, and of the validation window before it [d].
        gap_days: Days left out between training and test [d].
        k: List positions that count.
        seed: Seed of the bootstrap.
    """

    test_days: int = 14
    gap_days: int = 0
    k: int = 10
    seed: int = 7

    def __post_init__(self) -> None:
        """Check the ranges of the settings."""
        refuse_below("[evaluation]", self, test_days=1, gap_days=0, k=1, seed=0)
