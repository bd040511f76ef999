"""
Shares of women and of local artists over months of weekly retraining, with and without each rule.

The listeners, the catalogue and the first log are those of a demo world; what listeners like is drawn from the log, and
no track is liked more than others on average (`recsys.feedback.loop`). EASE is refitted every week on plays of its own
lists. Every rule is repeated with each model of choice, so that no conclusion is an artefact of one. Targets of rules
are the shares in the first log. Printed are percentage points of exposure: without rules the change from the first log
to the mean of the last four weeks, and for each rule, after that change, its difference to no rule in brackets. The
price is the loss of satisfaction over all weeks, in per cent of that without rules. Seeds change the world, the likes
and all draws; intervals are Student's 95 % over seeds.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from scipy.stats import t as student

from bench.options import benchmark, size
from bench.recommenders.worlds import demo_context
from recsys.feedback.choice import CHOICES
from recsys.feedback.exploration import ExplorationSettings
from recsys.feedback.loop import LoopSettings, Remedy, SimulatedListeners, simulate
from recsys.rerank.rules.artist_cap import ArtistCap
from recsys.rerank.rules.calibration import Calibration
from recsys.rerank.rules.diversity import Diversity
from recsys.rerank.rules.exposure import Exposure
from recsys.rerank.rules.fair_top_k import FairTopK
from recsys.rerank.rules.popularity import Popularity

WOMEN, COUNTRIES = "artist_gender=female", ("US", "DE", "BR")
HEADINGS = {f"exposure {WOMEN}": "women", **{f"local {country}": f"local, {country}" for country in COUNTRIES}}
LAST_WEEKS = 4
NONE = "no rule"


@benchmark(headline=r"\| position \| exposure: women \| ([+-]?\d+\.\d) ")
@size("--scale", default=0.2, smallest=0.04, help="Size of the world; 0.2 is 500 listeners.")
@size("--tracks", "n_tracks", default=1_200, smallest=200, help="Recordings, five per artist.")
@size("--weeks", default=13, smallest=LAST_WEEKS, help="Weeks, with one retraining each.")
@size("--seeds", "n_seeds", default=5, smallest=2, help="Repetitions with another world.")
def main(scale: float, n_tracks: int, weeks: int, n_seeds: int) -> None:
    """Print one line per model of choice and rule."""
    rows = pl.DataFrame([row for seed in range(n_seeds) for row in outcomes(seed, scale, n_tracks, weeks)])
    first = ", ".join(f"{HEADINGS[name]} {np.mean(rows[f'first {name}'].to_numpy()):.1%}" for name in HEADINGS)
    print(f"Shares in the first log, mean of {n_seeds} seeds: {first}\n")
    print(f"| choice | rule | {' | '.join(HEADINGS.values())} | price |")
    print(f"|---|---|{'---|' * (len(HEADINGS) + 1)}")
    for (choice, rule), own in rows.group_by("choice", "rule", maintain_order=True):
        none = rows.filter(choice=choice, rule=NONE)
        figures = [
            interval(own[name]) + (f" ({interval(own[name] - none[name])})" if rule != NONE else "")
            for name in HEADINGS
        ]
        print(f"| {choice} | {rule} | {' | '.join([*figures, interval(own['price'])])} |")


def outcomes(seed: int, scale: float, n_tracks: int, weeks: int) -> Iterator[dict[str, object]]:
    """Yield one row per model of choice and rule: its change of each share since the first log, and its price, 0..1."""
    from recsys.demo.world import World

    world = World(seed=seed, scale=scale, n_tracks=n_tracks, n_artists=n_tracks // 5, n_tracks_with_audio=0)
    listeners = SimulatedListeners.of(demo_context(world), [WOMEN], seed, countries=COUNTRIES)
    first = first_shares(listeners)
    for choice in CHOICES:
        settings = LoopSettings(weeks=weeks, recommender="ease", choice=choice, seed=seed)
        found = simulate(listeners, remedies(listeners), settings)
        last = means(found.filter(pl.col("week") > weeks - LAST_WEEKS))
        satisfaction = {rule: figures["satisfaction"] for rule, figures in means(found).items()}
        for rule, figures in last.items():
            changes = {name: figures[name] - first[name] for name in HEADINGS}
            starts = {f"first {name}": first[name] for name in HEADINGS}
            price = 1 - satisfaction[rule] / satisfaction[NONE]
            yield {"choice": choice, "rule": rule, **changes, **starts, "price": price}


def remedies(listeners: SimulatedListeners) -> dict[str, Remedy]:
    """Return each rule alone; targets are the shares in the first log."""
    masks = {f"artist_country={country}": tracks for country, (_, tracks) in listeners.local_masks.items()}
    shares = {group: first_share(listeners, mask) for group, mask in {**listeners.group_masks, **masks}.items()}
    women = {WOMEN: shares.pop(WOMEN)}
    return {
        NONE: Remedy(),
        "artist_cap": Remedy([ArtistCap()]),
        "diversity": Remedy([Diversity()]),
        "calibration": Remedy([Calibration()]),
        "popularity": Remedy([Popularity(0.1)]),
        "fair_top_k: women": Remedy([FairTopK(WOMEN, women[WOMEN])]),
        "exposure: women": Remedy([Exposure(women)]),
        "exposure: countries": Remedy([Exposure(shares)]),
        "exploration": Remedy(exploration=ExplorationSettings()),
    }


def first_shares(listeners: SimulatedListeners) -> dict[str, float]:
    """Return the share of each group, and of local artists, among the pairs of the first log, by name of the metric."""
    women = {f"exposure {group}": first_share(listeners, mask) for group, mask in listeners.group_masks.items()}
    local = {f"local {name}": first_share(listeners, *masks[::-1]) for name, masks in listeners.local_masks.items()}
    return women | local


def first_share(listeners: SimulatedListeners, tracks: np.ndarray, users: np.ndarray | slice = slice(None)) -> float:
    """Return the share of a mask of tracks among the pairs of some listeners in the first log."""
    n_listeners = np.diff(listeners.context.interactions.matrix[users].tocsc().indptr)
    return float(n_listeners[tracks].sum() / n_listeners.sum())


def means(found: pl.DataFrame) -> dict[str, dict[str, float]]:
    """Return the mean of each metric over weeks, by remedy."""
    by_remedy: dict[str, dict[str, float]] = {}
    for remedy, metric, value in (
        found.group_by("remedy", "metric", maintain_order=True).agg(pl.mean("value")).iter_rows()
    ):
        by_remedy.setdefault(remedy, {})[metric] = value
    return by_remedy


def interval(shares: pl.Series) -> str:
    """Return the mean over seeds in per cent, and half the width of its interval."""
    values = 100 * shares.to_numpy()
    half = student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{values.mean():+.1f} ± {half:.1f}"


if __name__ == "__main__":
    main()
