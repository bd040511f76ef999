"""What a recipe can say about how recommenders are judged."""

from dataclasses import dataclass

from recsys.errors import refuse_below


@dataclass(frozen=True)
class EvaluationSettings:
    """How recommenders are judged: `test_days` and `gap_days` [d], list length `k`, seed of the bootstrap."""

    test_days: int = 14
    gap_days: int = 0
    k: int = 10
    seed: int = 7

    def __post_init__(self) -> None:
        """Refuse windows that would let a model learn from the days it is judged on."""
        refuse_below("[evaluation]", self, test_days=1, gap_days=0, k=1, seed=0)
