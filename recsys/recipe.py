"""
The recipe of a nightly run, read from TOML into frozen dataclasses: which models to train, evaluate and export.

An unknown key is refused with the most similar valid key; a missing key takes its default from `default.toml`.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from recsys.analytics.communities import CommunitySettings
from recsys.errors import BadRecipe, did_you_mean, refuse_below
from recsys.evaluate.settings import EvaluationSettings
from recsys.feedback.exploration import ExplorationSettings
from recsys.library.settings import AudioSettings
from recsys.matching.settings import MatchingSettings
from recsys.recommenders.scorer import scorer_class
from recsys.releases.settings import GateSettings
from recsys.reports.morning.settings import MorningSettings
from recsys.rerank.base import RerankRules, rule_class

DEFAULT = Path(__file__).with_name("default.toml")
POPULARITY_BASELINE = "popular"
_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class ExportSettings:
    """
    Size and content of the exported lists.

    Attributes:
        k: Tracks per list.
        candidates: Highest-scoring tracks per listener that are kept with their scores and reranked into the list.
        new_only: Whether lists leave out every track that the listener has interacted with; if false, such tracks may
            return as far as the rule `rerank.rules.not_heard` allows.
    """

    k: int = 20
    candidates: int = 500
    new_only: bool = True

    def __post_init__(self) -> None:
        """Raise BadRecipe if lists are empty or longer than their candidates."""
        refuse_below("[export]", self, k=1, candidates=self.k)


@dataclass(frozen=True)
class Recipe:
    """
    All settings of a run.

    Attributes:
        recommender: Name of the recommender whose lists are exported.
        compare: Names of the recommenders evaluated beside it; the popularity baseline is always evaluated too.
        configs: Name -> frozen config, for every recommender of the recipe.
        rerank: Name -> rule, for the rules that choose each list from its candidates.
    """

    recommender: str
    compare: tuple[str, ...]
    configs: dict[str, Any]
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    communities: CommunitySettings = field(default_factory=CommunitySettings)
    rerank: RerankRules = field(default_factory=dict)
    exploration: ExplorationSettings = field(default_factory=ExplorationSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    morning: MorningSettings = field(default_factory=MorningSettings)
    matching: MatchingSettings = field(default_factory=MatchingSettings)

    @property
    def names(self) -> list[str]:
        """Every recommender to train: the exported one first, then the compared ones, the baseline included."""
        return list(dict.fromkeys((self.recommender, *self.compare, POPULARITY_BASELINE)))

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as nested dictionaries of plain values, defaults included."""
        return asdict(self)


def read_recipe(path: Path | None = None) -> Recipe:
    """
    Read a recipe and fill in its defaults; without a path, return the default recipe.

    Raises:
        BadRecipe: The file is missing or not TOML, a key is unknown, or a value has the wrong type or is out of range.
    """
    given = _toml(path) if path else {}
    default = _toml(DEFAULT)
    values = {**default, **given}
    _refuse_unknown(values, ("recommenders", *(key.name for key in fields(Recipe) if key.name != "configs")), path)
    _refuse_type(values, {"recommender": str, "compare": list, "recommenders": dict, "rerank": dict}, "the recipe")
    settings = {**default["recommenders"], **values["recommenders"]}
    for name, own in settings.get("blend", {}).get("models", {}).items():
        _filled(scorer_class(name).config_class, own, f"[recommenders.blend.models.{name}]")
    names = dict.fromkeys((values["recommender"], *values["compare"], POPULARITY_BASELINE, *settings))
    return Recipe(
        recommender=values["recommender"],
        compare=tuple(values["compare"]),
        configs={
            name: _filled(scorer_class(name).config_class, settings.get(name, {}), f"[recommenders.{name}]")
            for name in names
        },
        evaluation=_filled(EvaluationSettings, values["evaluation"], "[evaluation]"),
        export=_filled(ExportSettings, values["export"], "[export]"),
        gate=_filled(GateSettings, values["gate"], "[gate]"),
        communities=_filled(CommunitySettings, values["communities"], "[communities]"),
        exploration=_filled(ExplorationSettings, values["exploration"], "[exploration]"),
        audio=_filled(AudioSettings, values["audio"], "[audio]"),
        morning=_filled(MorningSettings, values["morning"], "[morning]"),
        matching=_filled(MatchingSettings, values["matching"], "[matching]"),
        rerank={name: _filled(rule_class(name), own, f"[rerank.{name}]") for name, own in values["rerank"].items()},
    )


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise BadRecipe(f"{path} does not exist. Copy {DEFAULT} there and change it") from missing
    except tomllib.TOMLDecodeError as broken:
        raise BadRecipe(f"{path} is not TOML: {broken}") from broken


def _filled(settings: type[_Settings], given: dict[str, Any], where: str) -> _Settings:
    _refuse_type({where: given}, {where: dict}, "the recipe")
    types = {key.name: key.type for key in fields(settings)}  # type: ignore[arg-type]
    _refuse_unknown(given, tuple(types), where)
    _refuse_type(given, types, where)
    return settings(**given)


def _refuse_type(given: dict[str, Any], types: Mapping[str, object], where: str) -> None:
    for name, value in given.items():
        expected = types.get(name)
        if isinstance(expected, type) and not isinstance(value, (expected, int) if expected is float else expected):
            raise BadRecipe(f"{where}: {name} is {value!r}; expected {expected.__name__}")


def _refuse_unknown(given: dict[str, Any], known: tuple[str, ...], where: object) -> None:
    for name in given:
        if name not in known:
            raise BadRecipe(
                f"{where}: the recipe has no key {name!r}; known: {', '.join(known)}.{did_you_mean(name, known)}"
            )
