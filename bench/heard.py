"""
What is heard in real recordings without any label: clusters, and voices that contradict the metadata.

Clusters: their adjusted mutual information with the artists and the packages (games and albums) of real cuts, 0 for
clusters by chance, 1 for the same groups. It is compared with clusters of MFCC statistics, and with the same clusters
dealt out at random. Choices were made on half of the packages (`bench.audio`), the test is the other half. Voices: how
many recordings would be doubted if all were delivered as without lyrics, and if all were delivered with a language.
"""

from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import benchmark, size
from recsys import files
from recsys.arrays import F32, I64

if TYPE_CHECKING:
    from bench.audio.__main__ import Track

SEED, N_DRAWS = 7, 200
NO_VOICE = frozenset({"instrumental", "no vocal", "no vocals", "no voice"})  # as in sql/internal/voices_to_compare.sql


@benchmark(headline=r"by artist: (\d\.\d+)")
@size("--recordings", "n", default=500, smallest=8, help="Real recordings with a known artist, at most.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps the vectors of the recordings.")
def main(n: int, cache: Path | None) -> None:
    """Print the agreement and the names of the clusters."""
    from bench.audio.__main__ import part, real_tracks

    tracks = real_tracks()[:n]
    sounds = _sounds(tracks, n, cache)
    for name in ("test", "train"):
        rows = np.array([row for row, track in enumerate(tracks) if part(track) == name], np.int64)
        _agreement(name, [tracks[row] for row in rows], {key: values[rows] for key, values in sounds.items()})
    _voices(tracks, sounds["tags"])


def _sounds(tracks: "list[Track]", n: int, cache: Path | None) -> dict[str, F32]:
    """Return embeddings, MFCC statistics and confidences of tags of recordings, from the cache if it has them."""
    path = None if cache is None else cache / f"real-{n}.npz"
    if path is not None and path.exists():
        with np.load(path, allow_pickle=False) as stored:
            return {name: stored[name] for name in stored.files}
    found = _heard(tracks)
    if path is not None:
        files.write_atomically(path, lambda partial: _save(partial, found))
    return found


def _save(path: Path, arrays: dict[str, F32]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def _heard(tracks: "list[Track]") -> dict[str, F32]:
    from bench.audio.__main__ import RATE_HZ, mfcc_statistics
    from recsys.audio.embedding.embed import MUSICNN, Embedder
    from recsys.audio.signal import read_audio

    embedder, rows = Embedder.load(MUSICNN), list[tuple[F32, F32, F32]]()
    for track in tracks:
        signal = read_audio(track.path)
        embedding = embedder.embed(signal)
        if embedding is None:
            raise ValueError(f"{track.path.name}: expected a recording with sound, found silence")
        confidences = np.array([tag.confidence for tag in embedding.tags], np.float32)
        rows.append((embedding.vector, mfcc_statistics(signal.mono(RATE_HZ)), confidences))
    vectors, mfcc, tags = (np.stack(values) for values in zip(*rows, strict=True))
    return {"vectors": vectors, "mfcc": mfcc, "tags": tags}


def _agreement(name: str, tracks: "list[Track]", sounds: dict[str, F32]) -> None:
    """Print the agreement of clusters with artists and packages, and the names of the clusters of embeddings."""
    import polars as pl

    from recsys.audio.embedding.tags import TAGS
    from recsys.tags.clusters import cluster, describe

    if not tracks:
        return
    everyone = np.ones(len(tracks), np.bool_)
    found = {key: cluster(sounds[key], everyone, seed=SEED) for key in ("vectors", "mfcc")}
    print(f"\n{name}: {len(tracks)} recordings in {found['vectors'].n} clusters, adjusted mutual information")
    for what in ("artist", "package"):
        truth = np.unique([getattr(track, what) for track in tracks], return_inverse=True)[1]
        ours, mfcc = (_information(truth, clusters.of_row) for clusters in found.values())
        low, high = np.percentile(_by_chance(truth, found["vectors"].of_row), (2.5, 97.5))
        print(f"{name}, by {what}: {ours:.3f}, on MFCC statistics {mfcc:.3f}, by chance {low:.3f} to {high:.3f}")
    ids = pl.Series([f"{row:04d}" for row in range(len(tracks))])
    names = [f"{tag.training_set} {tag.name}" for tag in TAGS]
    heard = pl.DataFrame(sounds["tags"], names, orient="row").with_columns(track_id=ids).unpivot(index="track_id")
    tags = heard.with_columns(tag=pl.col("variable").str.replace("^MSD |^MTT ", ""))
    described = describe(found["vectors"], ids, tags.group_by("track_id", "tag").agg(confidence=pl.col("value").max()))
    for row in described.iter_rows(named=True):
        artists = {tracks[int(track)].artist for track in row["central_tracks"]}
        print(f"  {row['name']} ({row['n_tracks']}), central: {', '.join(sorted(artists))}")


def _voices(tracks: "list[Track]", confidences: F32) -> None:
    """Print how many recordings would be doubted with either metadata, and which those with a voice are."""
    import polars as pl

    from recsys.audio.embedding.tags import TAGS
    from recsys.cleaning.doubts import NO_LYRICS, wrong_languages

    vocal = [(column, tag.name) for column, tag in enumerate(TAGS) if tag.kind == "vocal"]
    without, sung = (
        [column for column, name in vocal if (name in NO_VOICE) == is_without] for is_without in (True, False)
    )
    rows = pl.DataFrame(
        {
            "track_id": [track.path.stem for track in tracks],
            "with_voice": confidences[:, sung].max(axis=1).astype(np.float64),
            "without_voice": confidences[:, without].max(axis=1).astype(np.float64),
        }
    ).with_columns(pl.lit(None, pl.Float64).alias(f"p_{name}") for name in ("with_voice", "without_voice"))
    print(f"\nVoices: {len(tracks)} recordings, most of which have none")
    for language, what in ((NO_LYRICS, "as without lyrics"), ("en", "with a language")):
        doubted = wrong_languages(rows.with_columns(language=pl.lit(language)))
        print(f"delivered {what}: {doubted.height} doubted")
        if language == NO_LYRICS:
            print("  " + ", ".join(doubted["track_id"]))


def _information(truth: I64, of_row: I64) -> float:
    from sklearn.metrics import adjusted_mutual_info_score

    return float(adjusted_mutual_info_score(truth, of_row))


def _by_chance(truth: I64, of_row: I64) -> list[float]:
    """Return the agreement of the same clusters, dealt out at random."""
    rng = np.random.default_rng(SEED)
    return [_information(truth, rng.permutation(of_row)) for _ in range(N_DRAWS)]


if __name__ == "__main__":
    main()
