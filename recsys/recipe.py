"""
The recipe of a nightly run, read from TOML into frozen dataclasses: which models to train, evaluate and export.

An unknown key is refused with the most similar valid key; a missing key takes its default from `default.toml`.
"""

from dataclasses import asdict, dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from typing_extensions import override

from recsys.analytics.settings import CommunitySettings
from recsys.errors import BadRecipe, did_you_mean
from recsys.evaluate.settings import EvaluationSettings
from recsys.feedback.exploration import ExplorationSettings
from recsys.feedback.interleaving import InterleavingSettings
from recsys.home import Home
from recsys.ingest.settings import IngestSettings, RetentionSettings
from recsys.ledger.settings import LabelSettings
from recsys.library.settings import AudioSettings
from recsys.matching.settings import MatchingSettings
from recsys.notify.settings import NotifySettings
from recsys.recommenders.scorer import scorer_class, scorer_names
from recsys.releases.settings import GateSettings
from recsys.reports.morning.settings import MorningSettings
from recsys.rerank.base import RerankRule, RerankRules, rule_class, rule_names
from recsys.settings import (
    DEFAULT_RECIPE,
    Count,
    Settings,
    check_section,
    check_value,
    create_settings,
    read_recipe_file,
)
from recsys.warehouse.settings import WarehouseSettings

POPULARITY_BASELINE = "popular"
BLEND = "blend"
_WEEKS_TO_CLOSE = 14  # days: a week, and one more for nightly runs that were missed


@dataclass(frozen=True)
class ExportSettings(Settings):
    """
    Size and content of the exported lists.

    Attributes:
        k: Tracks per list.
        candidates: Number of highest-scoring tracks per listener that are saved with their scores, and from which
            reranking chooses the list.
        new_only: Whether lists leave out every track that the listener has interacted with. If false, the rule
            `rerank.rules.not_heard` decides which of these tracks may be recommended again, and models are evaluated
            and tuned on plays of known tracks, too.
    """

    k: Count = 20
    candidates: Count = 500
    new_only: bool = True

    @override
    def __post_init__(self) -> None:
        """Raise BadRecipe if a value is invalid, or lists are longer than their candidates."""
        super().__post_init__()
        if self.candidates < self.k:
            raise BadRecipe(f"[export] candidates: found {self.candidates}, expected at least k = {self.k}")


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
    ingest: IngestSettings = field(default_factory=IngestSettings)
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    export: ExportSettings = field(default_factory=ExportSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    communities: CommunitySettings = field(default_factory=CommunitySettings)
    rerank: RerankRules = field(default_factory=dict)
    exploration: ExplorationSettings = field(default_factory=ExplorationSettings)
    interleaving: InterleavingSettings = field(default_factory=InterleavingSettings)
    audio: AudioSettings = field(default_factory=AudioSettings)
    labels: LabelSettings = field(default_factory=LabelSettings)
    morning: MorningSettings = field(default_factory=MorningSettings)
    matching: MatchingSettings = field(default_factory=MatchingSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    warehouse: WarehouseSettings = field(default_factory=WarehouseSettings)

    def __post_init__(self) -> None:
        """Raise BadRecipe if rows would go before labels' figures of their week are closed, or no model challenges."""
        self.retention.require(_WEEKS_TO_CLOSE + self.labels.close_days)
        challenger, others = self.interleaving.challenger, sorted(set(self.configs) - {self.recommender})
        if challenger and challenger not in others:
            raise BadRecipe(
                f"[interleaving] challenger: found {challenger!r}, expected another recommender of the recipe than "
                f"{self.recommender!r}: {', '.join(others)}.{did_you_mean(challenger, others)}"
            )

    @property
    def names(self) -> list[str]:
        """Names of all recommenders to train: the exported one, the compared ones and the popularity baseline."""
        return list(dict.fromkeys((self.recommender, *self.compare, POPULARITY_BASELINE)))

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as nested dictionaries of plain values, defaults included."""
        return asdict(self)


SECTIONS: dict[str, type[Any]] = {
    field.name: kind
    for field, kind in ((field, get_type_hints(Recipe)[field.name]) for field in fields(Recipe))
    if isinstance(kind, type) and is_dataclass(kind)
}


def read_recipe(path: Path | None = None) -> Recipe:
    """
    Read a recipe and fill in its defaults; without a path, return the default recipe.

    Raises:
        BadRecipe: The file cannot be read or is not TOML, a key is unknown, or a value has the wrong type or is out of
            range.
    """
    default = read_recipe_file(DEFAULT_RECIPE)
    known = [field.name if field.name != "configs" else "recommenders" for field in fields(Recipe)]
    values = default | check_section(read_recipe_file(path) if path else {}, known, str(path))
    recommender = check_value(values["recommender"], str, "recommender")
    compare = check_value(values["compare"], tuple[str, ...], "compare")
    sections = {name: create_settings(settings, values[name], f"[{name}]") for name, settings in SECTIONS.items()}
    challenger = sections["interleaving"].challenger
    names = (recommender, *compare, *([challenger] if challenger else []))
    return Recipe(
        recommender=recommender,
        compare=compare,
        configs=_configs(default["recommenders"], values["recommenders"], names),
        rerank=_rules(values["rerank"]),
        **sections,
    )


def recipe_of(home: Home, path: Path | None = None) -> Recipe:
    """Read a recipe as `read_recipe`; without a path, the home's recipe, or else the default one."""
    own = home.path / "recipe.toml"
    return read_recipe(path or (own if own.exists() else None))


def _configs(default: dict[str, Any], given: object, names: tuple[str, ...]) -> dict[str, Any]:
    """Return the config of every recommender that is named or has a section, and of those that a blend names."""
    sections = default | check_section(given, scorer_names(), "[recommenders]")
    configs = {
        name: create_settings(scorer_class(name).config_class, sections.get(name, {}), f"[recommenders.{name}]")
        for name in dict.fromkeys((*names, POPULARITY_BASELINE, *sections))
    }
    members = check_section(
        configs[BLEND].models if BLEND in configs else {}, scorer_names(), f"[recommenders.{BLEND}.models]"
    )
    for name, settings in members.items():
        create_settings(scorer_class(name).config_class, settings, f"[recommenders.{BLEND}.models.{name}]")
    return configs


def _rules(given: object) -> dict[str, RerankRule]:
    rules = check_section(given, list(rule_names()), "[rerank]")
    return {name: create_settings(rule_class(name), settings, f"[rerank.{name}]") for name, settings in rules.items()}
