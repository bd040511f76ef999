"""
A soundtrack that adapts to skips against a fixed list, heard by simulated listeners: the share of recordings skipped.

Recordings are those of `spotify_audio_features` (tempo, energy, genre, artist, length). A listener has hidden wishes: a
shift of tempo and energy from the curve, and a liking per genre, of which the plan knows nothing. Three arms per
listener: the list as planned; the plan made again after each recording, without what was skipped; and with it. Three
ways to skip, so that no conclusion rests on one: a probability that rises with the distance from the wish, a threshold,
and boredom with what resembles the last recordings. A skip comes after 20 s.

Also printed: how far what was heard to the end lies from the curve, and the time of a plan. Intervals of 95 % are
bootstrapped over listeners.
"""

from collections.abc import Callable
from time import process_time
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from bench.options import benchmark, data_folder, size
from recsys.arrays import F64

if TYPE_CHECKING:
    from recsys.soundtrack.curve import Curve
    from recsys.soundtrack.plan import Recordings

Arm = Literal["fixed", "planned again", "adapted"]
ARMS: tuple[Arm, ...] = ("fixed", "planned again", "adapted")
SKIP_S, N_DRAWS, SEED = 20.0, 2_000, 7
MOST = 3.0  # distance from the wish at which half of the listeners skip [tolerances]
TEMPO_SHIFT, ENERGY_SHIFT, LIKING = (
    0.12,
    0.15,
    1.0,
)  # of hidden wishes [octaves, energy, tolerances]


class Listener(NamedTuple):
    """Hidden wishes: shifts of tempo [octaves] and energy, a liking per genre, and a seed of chance."""

    octaves: float
    energy: float
    liking: F64
    seed: int


class Session(NamedTuple):
    """What a listener heard: rows, whether each was skipped, and its distance from the curve."""

    rows: list[int]
    skipped: list[bool]
    misfits: list[float]


def catalogue(n: int) -> "Recordings":
    """Return n random recordings of the data set."""
    import polars as pl

    from recsys.soundtrack.plan import Recordings

    songs = pl.read_parquet(data_folder() / "spotify_audio_features" / "spotify_songs_30k.parquet")
    valid = songs.unique("track_id", keep="first", maintain_order=True).filter(pl.col("tempo") >= 30)
    return Recordings.of(
        valid.sample(min(n, valid.height), seed=SEED).select(
            "track_id",
            "energy",
            duration_ms=pl.col("duration_min") * 60_000,
            tempo_bpm="tempo",
            artist_id="track_artist",
            genre="playlist_genre",
            key=pl.lit(None, pl.String),
            mode=pl.lit(None, pl.String),
            liked=pl.lit(0.5),
        )
    )


def distance(recordings: "Recordings", listener: Listener, row: int, tempo: float, energy: float) -> float:
    """Return how far a recording is from what a listener wishes now, in tolerances; a liked genre is nearer."""
    from recsys.soundtrack.plan import ENERGY, TEMPO_OCTAVES, tempo_distance

    tempo_off = tempo_distance(recordings.octaves[row : row + 1], np.log2(tempo) + listener.octaves)[0] / TEMPO_OCTAVES
    energy_off = (recordings.energy[row] - energy - listener.energy) / ENERGY
    return float(np.hypot(tempo_off, energy_off) - listener.liking[recordings.genre[row]])


def by_probability(far: float, _near: float, rng: np.random.Generator) -> bool:
    """Skip with a probability that rises with the distance: a half at three tolerances."""
    return bool(rng.random() < 1 / (1 + np.exp(-1.5 * (far - MOST))))


def by_threshold(far: float, _near: float, _rng: np.random.Generator) -> bool:
    """Skip whatever is more than three tolerances away."""
    return far > MOST


def by_boredom(far: float, near: float, rng: np.random.Generator) -> bool:
    """Skip as by probability, and more readily what resembles the last recordings."""
    return by_probability(far + near, 0.0, rng)


CHOICES: dict[str, Callable[[float, float, np.random.Generator], bool]] = {
    "probability": by_probability,
    "threshold": by_threshold,
    "boredom": by_boredom,
}


def listen(
    recordings: "Recordings", curve: "Curve", length_s: float, listener: Listener, choice: str, arm: Arm
) -> Session:
    """Let a listener hear a soundtrack until its time is over."""
    from recsys.soundtrack.adapt import adjustment
    from recsys.soundtrack.plan import misfit, plan

    rng = np.random.default_rng([SEED, listener.seed])
    heard, time_s = Session([], [], []), 0.0
    fixed = iter([step.row for step in plan(recordings, curve, length_s)] if arm == "fixed" else [])
    while time_s < length_s:
        row = next(fixed, None)
        if row is None:
            learnt = adjustment(recordings, zip(heard.rows, heard.skipped, strict=True)) if arm == "adapted" else None
            steps = plan(recordings, curve, length_s, start_s=time_s, heard=heard.rows, adjustment=learnt)
            row = steps[0].row
        tempo, energy = (float(value) for value in curve.values(time_s / length_s))
        near = float(np.mean(recordings.genre[heard.rows[-3:]] == recordings.genre[row])) if heard.rows else 0.0
        is_skipped = CHOICES[choice](distance(recordings, listener, row, tempo, energy), near, rng)
        heard.rows.append(row)
        heard.skipped.append(is_skipped)
        ends_s = time_s + (SKIP_S if is_skipped else float(recordings.length_s[row]))
        off = misfit(recordings, np.array([row]), curve, time_s / length_s, ends_s / length_s)
        heard.misfits.append(float(off[0]))
        time_s = ends_s
    return heard


def of_listener(recordings: "Recordings", curve: "Curve", length_s: float, seed: int, choice: str) -> list[Session]:
    """Draw a listener and let them hear each arm."""
    rng = np.random.default_rng([SEED, seed, 1])
    wishes = rng.normal(0, (TEMPO_SHIFT, ENERGY_SHIFT))
    liking = rng.normal(0, LIKING, int(recordings.genre.max()) + 1)
    listener = Listener(float(wishes[0]), float(wishes[1]), liking, seed)
    return [listen(recordings, curve, length_s, listener, choice, arm) for arm in ARMS]


def interval(values: F64) -> str:
    """Return a mean with its interval, bootstrapped over listeners."""
    draws = np.random.default_rng(SEED).integers(len(values), size=(N_DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


@benchmark(headline=r"probability +adapted +(\d\.\d+)")
@size("--listeners", "n_listeners", default=50, smallest=1, help="Listeners per activity and way to skip.")
@size("--recordings", "n_recordings", default=3_000, smallest=300, help="Recordings to choose from.")
@size("--minutes", default=40, smallest=10, help="Length of the activity.")
def main(n_listeners: int, n_recordings: int, minutes: int) -> None:
    """Print the share of skips by way to skip and arm, over all activities, and paired differences."""
    from recsys.soundtrack.curve import ACTIVITIES
    from recsys.soundtrack.plan import plan

    recordings, length_s = catalogue(n_recordings), 60.0 * minutes
    started = process_time()
    for curve in ACTIVITIES.values():
        plan(recordings, curve, length_s)
    seconds = (process_time() - started) / len(ACTIVITIES)
    print(
        f"{len(recordings.length_s):,} recordings, {', '.join(ACTIVITIES)}, {minutes} min; a plan {seconds:.2f} CPU-s"
    )
    print("way to skip   arm             share skipped            less than fixed          distance from the curve")
    for choice in CHOICES:
        of_listeners = [
            of_listener(recordings, curve, length_s, n_listeners * number + seed, choice)
            for number, curve in enumerate(ACTIVITIES.values())
            for seed in range(n_listeners)
        ]
        skipped = np.array([[np.mean(heard.skipped) for heard in arms] for arms in of_listeners])
        for column, arm in enumerate(ARMS):
            ends = [
                far
                for arms in of_listeners
                for far, is_skipped in zip(arms[column].misfits, arms[column].skipped, strict=True)
                if not is_skipped
            ]
            less = interval(skipped[:, 0] - skipped[:, column]) if column else ""
            off = f"{np.sqrt(np.mean(ends)):.2f} tolerances" if ends else "-"
            print(f"{choice:<13} {arm:<15} {interval(skipped[:, column]):<24} {less:<24} {off}", flush=True)


if __name__ == "__main__":
    main()
