"""
A recipe: what a nightly run trains, how it judges and what it exports. TOML -> frozen dataclasses.

An unknown key is refused with the nearest right one; a key left out keeps the default in `default.toml`.
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
FLOOR = "popular"
_Settings = TypeVar("_Settings")


@dataclass(frozen=True)
class ExportSettings:
    """
    What is exported.

    Attributes:
        k: Tracks in each listener's list.
        candidates: Best tracks of each listener that are kept with their scores, and that lists are chosen from.
        new_only: Whether lists name only what a listener never touched; else known tracks may return (see
            `rerank.rules.not_heard`).
    """

    k: int = 20
    candidates: int = 500
    new_only: bool = True

    def __post_init__(self) -> None:
        """Refuse empty lists, and lists that choose from fewer than they hold."""
        refuse_below("[export]", self, k=1, candidates=self.k)


@dataclass(frozen=True)
class Recipe:
    """
    Everything a run can be told.

    Attributes:
        recommender: Whose lists are exported.
        compare: Recommenders judged beside it; the popularity floor is always among them.
        configs: The frozen config of every recommender named, by name.
        rerank: The stages that choose lists among the candidates, by name.
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
        """Every recommender to train: the one to export first, then the others, the floor always among them."""
        return list(dict.fromkeys((self.recommender, *self.compare, FLOOR)))

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain values, defaults spelled out."""
        return asdict(self)


def read_recipe(path: Path | None = None) -> Recipe:
    """
    Read a recipe, defaults filled in.

    Raises:
        BadRecipe: A key is unknown, a value has the wrong type, or the file is no TOML.
    """
    given = _toml(path) if path else {}
    default = _toml(DEFAULT)
    values = {**default, **given}
    _refuse_unknown(values, ("recommenders", *(each.name for each in fields(Recipe) if each.name != "configs")), path)
    _refuse_type(values, {"recommender": str, "compare": list, "recommenders": dict, "rerank": dict}, "the recipe")
    settings = {**default["recommenders"], **values["recommenders"]}
    for name, own in settings.get("blend", {}).get("models", {}).items():
        _filled(scorer_class(name).config_class, own, f"[recommenders.blend.models.{name}]")
    names = dict.fromkeys((values["recommender"], *values["compare"], FLOOR, *settings))
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
        raise BadRecipe(f"{path} does not exist. Copy {DEFAULT} to begin with") from missing
    except tomllib.TOMLDecodeError as broken:
        raise BadRecipe(f"{path} is not TOML: {broken}") from broken


def _filled(settings: type[_Settings], given: dict[str, Any], where: str) -> _Settings:
    _refuse_type({where: given}, {where: dict}, "the recipe")
    known = {each.name: each.type for each in fields(settings)}  # type: ignore[arg-type]
    _refuse_unknown(given, tuple(known), where)
    _refuse_type(given, known, where)
    return settings(**given)


def _refuse_type(given: dict[str, Any], wanted: Mapping[str, object], where: str) -> None:
    for name, value in given.items():
        kind = wanted.get(name)
        if isinstance(kind, type) and not isinstance(value, (kind, int) if kind is float else kind):
            raise BadRecipe(f"{where}: {name} is {value!r}; expected {kind.__name__}")


def _refuse_unknown(given: dict[str, Any], known: tuple[str, ...], where: object) -> None:
    for name in given:
        if name not in known:
            raise BadRecipe(
                f"{where}: the recipe has no key {name!r}; known: {', '.join(known)}.{did_you_mean(name, known)}"
            )
