"""
Audio analysis: speed, artist retrieval on real music, accuracy of tempo, key, chords and beats on rendered music.

One core; peers run on the same input in the same run. Retrieval is evaluated on packages that influenced no choice (see
`part`). With --train-minutes, encoders trained from scratch and fine-tuned are evaluated beside the default; with
--encoder, those of folders that the setting `encoder` takes.
"""

import csv
import re
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeVar
from zlib import crc32

import click
import numpy as np
import numpy.typing as npt

from bench.options import audio_folder, benchmark, data_folder, size
from recsys.arrays import F32, F64, Bool
from recsys.audio.signal import Signal, read_audio
from recsys.errors import InputError

if TYPE_CHECKING:
    from bench.audio.rendered import Truth
    from recsys.audio.embedding.encoder import Encoder
    from recsys.audio.embedding.onnx_encoder import OnnxEncoder
    from recsys.lake.measured import Features

RATE_HZ = 16_000  # the encoders' sample rate
N_TIMED, N_DRAWS = 24, 1_000
KRUMHANSL = {  # Krumhansl, Kessler (1982)
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


STATED = ("key", "chords", "beats_s", "downbeats_s")  # attributes that are unknown where they are not heard clearly

Value = TypeVar("Value")


class Track(NamedTuple):
    """A real recording: file, package and artist (variants of a credit merged)."""

    path: Path
    package: str
    artist: str


def real_tracks() -> list[Track]:
    """List the recordings with a known artist: the first name of the credit, lower case, without punctuation."""
    folder = audio_folder()
    with (folder / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    first = [re.split(r"\s*(?:\bfeat\b\.?|\bft\b\.?|&|,|/|\band\b)\s*", row["artist"].lower())[0] for row in rows]
    artists = [re.sub(r"[^a-z0-9]", "", name) for name in first]
    return [
        Track(folder / row["file"], row["package"], artist)
        for row, artist in zip(rows, artists, strict=True)
        if artist not in {"", "unknown"}
    ]


def part(track: Track) -> str:
    """Return 'train' or 'test' for a package: choices may depend on train, evaluation uses test."""
    return "test" if crc32(track.package.encode()) % 2 else "train"


def average_precisions(vectors: F32, tracks: Sequence[Track], *, own_package: bool) -> F64:
    """
    Return the average precision of artist retrieval by cosine for each track.

    Args:
        vectors: One per track, shape (n_tracks, n_dimensions).
        tracks: In the order of `vectors`.
        own_package: Rank only candidates of the track's own package.

    Returns:
        Average precision in 0..1, shape (n_tracks,); NaN where none or all of the candidates are by the artist.
    """
    from sklearn.metrics import average_precision_score
    from sklearn.metrics.pairwise import cosine_similarity

    cosines = cosine_similarity(vectors)
    artist, package = (np.array([getattr(track, name) for track in tracks]) for name in ("artist", "package"))
    values = np.full(len(tracks), np.nan)
    for row in range(len(tracks)):
        is_candidate = (np.arange(len(tracks)) != row) & ((package == package[row]) | (not own_package))
        hits = (artist == artist[row])[is_candidate]
        if 0 < hits.sum() < len(hits):
            values[row] = average_precision_score(hits, cosines[row, is_candidate])
    return values


def retrieval(embeddings: dict[str, Callable[[F32], F32]], n: int) -> None:
    """Print mAP of artist retrieval on at most n recordings, for each function that embeds a recording."""
    tracks = [track for track in real_tracks() if part(track) == "test"][:n]
    sounds = [read_audio(track.path).mono(RATE_HZ) for track in tracks]
    groups = np.unique([track.artist for track in tracks], return_inverse=True)[1]
    n_artists = int(groups.max()) + 1
    drawn = np.random.default_rng(7).integers(n_artists, size=(N_DRAWS, n_artists))
    draws = [np.bincount(artists, minlength=n_artists)[groups] for artists in drawn]
    print(f"\nArtist retrieval, {len(tracks)} recordings by {n_artists} artists (interval by artist)")
    print("embedding                mAP                      within the own package")
    for name, embed in embeddings.items():
        vectors = np.stack([embed(sound) for sound in sounds])
        cells = []
        for own_package in (False, True):
            values = average_precisions(vectors, tracks, own_package=own_package)
            known = ~np.isnan(values)
            means = [np.average(values[known], weights=draw[known]) for draw in draws if draw[known].any()]
            low, high = np.percentile(means, (2.5, 97.5))
            cells.append(f"{values[known].mean():.3f} ({low:.3f} to {high:.3f})")
        print(f"{name:<22} {cells[0]:<24} {cells[1]}")
    print("bar: default >= 1.5 x MFCC and random; within the own package above both")


def mfcc_statistics(mono: F32) -> F32:
    """Return mean and standard deviation of 20 MFCCs as librosa computes them, shape (40,)."""
    import librosa

    coefficients = librosa.feature.mfcc(y=mono, sr=RATE_HZ, n_mfcc=20)
    return np.asarray(np.concatenate([coefficients.mean(axis=1), coefficients.std(axis=1)]), np.float32)


def by_encoder(encoder: "Encoder | OnnxEncoder") -> Callable[[F32], F32]:
    """Return the function that embeds a recording, given at 16 kHz, with an encoder."""
    from recsys.audio.embedding.embed import encode, patches_of, standardised_mean
    from recsys.audio.embedding.encoder import Encoder

    if not isinstance(encoder, Encoder):
        return lambda mono: _known(encoder.vector(Signal(mono[None], RATE_HZ, "decoded", 0.0)))

    return lambda mono: standardised_mean(encoder, encode(encoder, _known(patches_of(mono))))


def _known(found: Value | None) -> Value:
    if found is None:
        raise InputError("audio: found a silent recording, expected sound. Remove it from the folder RECSYS_AUDIO")
    return found


def random_encoder(n: int) -> "Encoder":
    """Return an untrained encoder with random weights; its batch statistics come from at most n recordings."""
    import torch

    from recsys.audio.embedding.embed import patches_of
    from recsys.audio.embedding.encoder import Encoder

    torch.manual_seed(7)
    encoder = Encoder().train()
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.momentum = None  # cumulative mean over all patches
    tracks = [track for track in real_tracks() if part(track) == "train"][:n]
    with torch.inference_mode():
        for track in tracks:
            patches = patches_of(read_audio(track.path).mono(RATE_HZ))
            if patches is not None:
                encoder(patches)
    return encoder.eval()


def trained(start: Literal["random", "pretrained"], minutes: float) -> "Encoder | OnnxEncoder":
    """Train an encoder on the train packages for about `minutes`."""
    from recsys.audio.embedding.embed import Embedder
    from recsys.audio.training.train import TrainingTrack, TrainSettings, train

    tracks = [TrainingTrack(track.path, "granted") for track in real_tracks() if part(track) == "train"]
    seconds_per_batch = 9.0
    epochs = max(1, round(minutes * 60 / seconds_per_batch / (len(tracks) // 16)))
    settings = TrainSettings(start=start, epochs=epochs, learning_rate=1e-3 if start == "random" else 1e-4)
    with TemporaryDirectory() as folder:
        train(tracks, settings, Path(folder))
        return Embedder.load(folder).encoder


def speed(n: int) -> None:
    """Print how fast n files are analysed, beside librosa's time for tempo, chroma and MFCC."""
    from recsys.audio.analyse import Analyse
    from recsys.audio.features.measure import features

    paths = sorted((audio_folder() / "music").glob("*.opus"))[:: 474 // N_TIMED][:n]
    analyse = Analyse("musicnn")
    analyse(paths[0])
    signals = [read_audio(path) for path in paths]
    total_s = sum(signal.duration_s for signal in signals)
    sounds = [signal.mono(22_050) for signal in signals]
    _by_librosa(sounds[0])
    features(signals[0])
    whole_s = _seconds(lambda: [analyse(path) for path in paths])
    ours_s = _seconds(lambda: [features(signal) for signal in signals])
    theirs_s = _seconds(lambda: [_by_librosa(sound) for sound in sounds])
    print(f"Speed, one core, {len(paths)} real recordings of {total_s / len(paths):.0f} s")
    print(f"all features, without decoding and embedding   {total_s / ours_s:>5.0f} x real time")
    print(f"librosa: tempo, chroma, MFCC                   {total_s / theirs_s:>5.0f} x")
    print(f"ratio                                          {theirs_s / ours_s:>5.2f} (bar 1.5)")
    print(f"whole scan: decode, features, encoder, tags    {total_s / whole_s:>5.0f} x (bar 40)")


def _by_librosa(mono: F32) -> object:
    import librosa

    librosa.beat.beat_track(y=mono, sr=22_050)
    librosa.feature.chroma_cqt(y=mono, sr=22_050)
    return librosa.feature.mfcc(y=mono, sr=22_050)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def tempo_and_key(n: int, *, balanced_modes: bool) -> None:
    """Print accuracy of tempo, key, chords and beats on rendered tunes and instruments that training never met."""
    import librosa

    from bench.audio.rendered import pieces, render_piece
    from recsys.audio.features.chords import PITCHES
    from recsys.audio.features.measure import features

    test_pieces = pieces("test", n, balanced_modes=balanced_modes)
    signals, truths = zip(*(render_piece(piece) for piece in test_pieces), strict=True)
    measured = [features(signal) for signal in signals]
    ours_bpm = np.array([track.tempo_bpm or 0 for track in measured])
    ours_key = [(PITCHES.index(track.key), track.mode == "minor") if track.key else (0, False) for track in measured]
    monos = [signal.mono(22_050) for signal in signals]
    theirs_bpm = np.array([float(np.ravel(librosa.beat.beat_track(y=mono, sr=22_050)[0])[0]) for mono in monos])
    theirs_key = [_krumhansl(librosa.feature.chroma_cqt(y=mono, sr=22_050).mean(axis=1)) for mono in monos]
    n_minor = sum(truth.is_minor for truth in truths)
    print(f"\nTempo and key, {n} rendered pieces, {n_minor} of them minor (95 % interval by piece)")
    print("                     Acc1                    Acc2                    key                     MIREX")
    for name, bpm, keys in (("ours", ours_bpm, ours_key), ("librosa, Krumhansl", theirs_bpm, theirs_key)):
        tempo = _tempo_scores(bpm, truths)
        scores = np.array([_mirex(key, truth) for key, truth in zip(keys, truths, strict=True)])
        print(f"{name:<20} {' '.join(map(_cell, (*tempo, scores == 1, scores)))}")
    print("bar                  .90                     .97                     .92                     .95")
    _chords_and_beats(signals, measured, truths)


def _chords_and_beats(signals: "Sequence[Signal]", measured: "Sequence[Features]", truths: "Sequence[Truth]") -> None:
    """Print scores of chords and beats; a piece whose chords or beats are not stated scores 0."""
    from bench.audio.scores import calibration_error, f_measure, true_chords, weighted_overlap
    from recsys.audio.features.chords import PITCHES

    overlaps = [
        weighted_overlap(
            zip(track.chord_starts_s or (), track.chord_ends_s or (), track.chords or (), strict=True),
            true_chords(truth, signal.duration_s),
        )
        for signal, track, truth in zip(signals, measured, truths, strict=True)
        if truth.chords is not None
    ]
    beats = [f_measure(track.beats_s or (), truth.beats_s) for track, truth in zip(measured, truths, strict=True)]
    downbeats = [
        f_measure(track.downbeats_s or (), truth.downbeats_s) for track, truth in zip(measured, truths, strict=True)
    ]
    print("                     chords, overlap         beats, F                downbeats, F")
    print(f"ours                 {' '.join(_cell(np.array(values)) for values in (overlaps, beats, downbeats))}")
    print("bar                  .80                     .95                     .85")
    stated = {name: np.mean([getattr(track, name) is not None for track in measured]) for name in STATED}
    print("stated: " + ", ".join(f"{name} {share:.3f}" for name, share in stated.items()))
    with_key = [(track, truth) for track, truth in zip(measured, truths, strict=True) if track.key]
    is_right = [
        (PITCHES.index(track.key), track.mode == "minor") == (truth.tonic, truth.is_minor) for track, truth in with_key
    ]
    confidences = np.array([track.key_confidence for track, _ in with_key], np.float64)
    print(f"calibration error of key_confidence {calibration_error(confidences, np.array(is_right)):.3f}")


def _tempo_scores(bpm: F64, truths: "Sequence[Truth]") -> tuple[Bool, Bool]:
    ratio = bpm / np.array([truth.tempo_bpm for truth in truths])
    is_close = np.abs(ratio[:, None] / np.array([1, 1 / 3, 1 / 2, 2, 3]) - 1) < 0.04
    return is_close[:, 0], is_close.any(axis=1)


def _mirex(key: tuple[int, bool], truth: "Truth") -> float:
    """Return MIREX's weighted score of a key: correct 1, a fifth off .5, relative .3, parallel .2, else 0."""
    steps, same = (key[0] - truth.tonic) % 12, key[1] == truth.is_minor
    if same:
        return {0: 1.0, 5: 0.5, 7: 0.5}.get(steps, 0.0)
    if steps == 0:
        return 0.2
    return 0.3 if steps == (3 if truth.is_minor else 9) else 0.0


def _krumhansl(chroma: npt.NDArray[np.floating]) -> tuple[int, bool]:
    fits = {
        (tonic, mode == "minor"): np.corrcoef(np.roll(profile, tonic), chroma)[0, 1]
        for mode, profile in KRUMHANSL.items()
        for tonic in range(12)
    }
    return max(fits, key=lambda key: fits[key])


def _cell(values: npt.NDArray[np.floating | np.bool_]) -> str:
    draws = np.random.default_rng(7).integers(len(values), size=(N_DRAWS, len(values)))
    low, high = np.percentile(values[draws].mean(axis=1), (2.5, 97.5))
    return f"{values.mean():.3f} ({low:.3f} to {high:.3f})"


@benchmark(headline=r"musicnn \(default\) +(0\.\d{3}|1\.000)")
@size("--pieces", "n_pieces", default=300, smallest=1, help="Rendered pieces in each of two draws.")
@size("--recordings", "n_recordings", default=1_000, smallest=12, help="Recordings for retrieval, at most.")
@size("--timed", "n_timed", default=N_TIMED, smallest=1, type=click.IntRange(1, N_TIMED), help="Recordings for speed.")
@click.option("--train-minutes", default=0.0, show_default=True, help="Also train encoders for this time.")
@click.option("--encoder", "folders", multiple=True, help="Folder of another encoder; may be repeated.")
def main(n_pieces: int, n_recordings: int, n_timed: int, train_minutes: float, folders: tuple[str, ...]) -> None:
    """Print all tables."""
    import torch

    from recsys.audio.embedding.embed import Embedder

    audio_folder(), data_folder()  # raise before any work if one of the folders is missing
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    speed(n_timed)
    default = Embedder.load("musicnn").encoder
    others = {folder: by_encoder(Embedder.load(folder).encoder) for folder in folders}
    embeddings = {
        "musicnn (default)": by_encoder(default),
        "MFCC statistics": mfcc_statistics,
        "random network": by_encoder(random_encoder(min(n_recordings, 24))),
        **others,
    }
    if train_minutes:
        starts: tuple[Literal["random"], Literal["pretrained"]] = ("random", "pretrained")
        embeddings |= {f"trained from {start}": by_encoder(trained(start, train_minutes)) for start in starts}
    retrieval(embeddings, n_recordings)
    for balanced_modes in (False, True):
        tempo_and_key(n_pieces, balanced_modes=balanced_modes)


if __name__ == "__main__":
    main()
