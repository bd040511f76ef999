"""Faults of the sound in the catalogue's health, on measurements that can be checked by hand."""

from recsys.audio.signal import is_lossless
from recsys.reports.wording import ISSUE_KINDS, ISSUES
from recsys.warehouse.sqlfile import read_layers

from .conftest import WORLD, Place, rows

SOUND: dict[str, object] = {
    "clipped_samples": 0,
    "channel_correlation": 0.9,
    "stereo_width": 0.1,
    "silent_start_s": 0.1,
}
SOUND |= {"silent_end_s": 0.2, "source_rate_hz": 44100, "lossy_origin": 0.01, "loudness_lufs": -14, "codec": "flac"}
SOUND |= {"rate_hz": 44100}
FAULTS: dict[str, dict[str, object]] = {
    "sound": {},
    "clipped": {"clipped_samples": 100},
    "a few": {"clipped_samples": 99},
    "inverted": {"channel_correlation": -1, "stereo_width": 1},
    "late": {"silent_start_s": 2.5},
    "trailing": {"silent_end_s": 5.5},
    "raised": {"source_rate_hz": 44100, "rate_hz": 96000},
    "was mp3": {"lossy_origin": 0.97, "source_rate_hz": 44100, "rate_hz": 48000},
    "perhaps mp3": {"lossy_origin": 0.89},
    "is mp3": {"lossy_origin": 0.97, "codec": "mp3"},
    "quiet": {"loudness_lufs": -23.1},
    "rather quiet": {"loudness_lufs": -22.9},
}


def test_faults_of_the_sound(place: Place) -> None:
    """Each fault is listed with what was measured; a lossy file is not blamed for its origin."""
    columns = list(SOUND)
    lines = [",".join(["track_id", *columns])]
    for name, wrong in FAULTS.items():
        lines.append(",".join([name, *(str((SOUND | wrong)[column]) for column in columns)]))
    place.take("audio_features.csv", "\n".join(lines))
    place.take("tracks.csv", "\n".join(["track_id,title,artist_id", *(f"{name},{name},ar1" for name in FAULTS)]))
    place.take("artists.csv", WORLD["artists"])
    place.take("listens.csv", "user_id,track_id,listened_at\nann,sound,2026-01-19\n")

    found = rows(
        place.build("w", only=["marts.catalogue_health"]),
        "select track_id, issue, detail from marts.catalogue_health where issue in ("
        "'clipped', 'mono_incompatible', 'silent_ends', 'upsampled', 'lossy_origin', 'off_level')",
    )

    assert set(found) == {
        ("clipped", "clipped", "100 samples"),
        ("inverted", "mono_incompatible", "correlation -1.0"),
        ("late", "silent_ends", "2.5 s before, 0.2 s after"),
        ("trailing", "silent_ends", "0.1 s before, 5.5 s after"),
        ("raised", "upsampled", "44100 Hz"),
        ("was mp3", "lossy_origin", "delivered as flac"),
        ("quiet", "off_level", "-23.1 LUFS, usual -14.0 LUFS"),
    }
    assert len(found) == len(set(found))


def test_a_level_is_unusual_among_the_artists_recordings_of_the_same_label(place: Place) -> None:
    """Recordings of another label and recordings taken down neither enter the median nor count as recordings."""
    levels = {
        "a1": ("la", -14),
        "a2": ("la", -14),
        "a3": ("la", -14),
        "a4": ("la", -24),  # off
        "b1": ("lb", -30),  # usual for its label
        "b2": ("lb", -30),
        "b3": ("lb", -30),
        "b4": ("lb", -30),
        "c1": ("lc", -14),  # four, of which one is taken down
        "c2": ("lc", -14),
        "c3": ("lc", -24),
        "c4": ("lc", -14),
    }
    tracks = [f"{track},{track},ar1,{label}" for track, (label, _) in levels.items()]
    place.take("audio_features.csv", "\n".join(["track_id,loudness_lufs", *(f"{t},{v[1]}" for t, v in levels.items())]))
    place.take("tracks.csv", "\n".join(["track_id,title,artist_id,label_id", *tracks]))
    place.take("artists.csv", WORLD["artists"])
    place.take("takedowns.csv", "track_id,taken_down_at,takedown_reason\nc4,2026-01-01,court order\n")
    place.take("listens.csv", "user_id,track_id,listened_at\nann,a1,2026-01-19\n")

    found = rows(
        place.build("w", only=["marts.catalogue_health"]),
        "select track_id, label_id, detail from marts.catalogue_health where issue = 'off_level'",
    )

    assert found == [("a4", "la", "-24.0 LUFS, usual -14.0 LUFS")]


def test_a_recording_with_unknown_origin_can_be_upsampled(place: Place) -> None:
    """A short recording, of which no origin is known, is listed when its spectrum ends too early."""
    place.take("audio_features.csv", "track_id,codec,rate_hz,source_rate_hz\nshort,flac,96000,44100\n")
    place.take("tracks.csv", "track_id,title,artist_id\nshort,short,ar1\n")
    place.take("artists.csv", WORLD["artists"])
    place.take("listens.csv", "user_id,track_id,listened_at\nann,short,2026-01-19\n")

    found = rows(
        place.build("w", only=["marts.catalogue_health"]),
        "select track_id, detail from marts.catalogue_health where issue = 'upsampled'",
    )

    assert found == [("short", "44100 Hz")]


CODECS = ["pcm_s16le", "pcm_f32be", "pcm_alaw", "pcm_mulaw", "pcm_24", "flac", "alac", "wavpack", "float", "double"]
CODECS += ["ulaw", "alaw", "adpcm_ms", "mp3", "aac", "opus", "vorbis"]


def test_the_catalogue_and_the_program_know_the_same_lossless_codecs(place: Place) -> None:
    """Companded telephone formats are lossy; what the catalogue lists is what `recsys master` takes for lossless."""
    place.take("audio_features.csv", "\n".join(["track_id,codec,lossy_origin", *(f"{it},{it},0.99" for it in CODECS)]))
    place.take("tracks.csv", "\n".join(["track_id,title", *(f"{it},{it}" for it in CODECS)]))
    place.take("listens.csv", "user_id,track_id,listened_at\nann,flac,2026-01-19\n")

    found = rows(
        place.build("w", only=["marts.catalogue_health"]),
        "select track_id from marts.catalogue_health where issue = 'lossy_origin'",
    )

    assert {codec for (codec,) in found} == {codec for codec in CODECS if is_lossless(codec)}
    assert {codec for (codec,) in found} == set(CODECS[:2] + CODECS[4:10])


def test_kinds_and_issues_have_a_name_on_pages() -> None:
    """Every kind and every issue that the header of the mart lists, and no other."""
    columns = read_layers()["marts.catalogue_health"].columns
    listed = dict(part.split(": ") for part in columns["issue"].meaning.split("; "))
    kinds = columns["kind"].meaning.replace(" or ", ", ").split(", ")

    assert list(listed) == kinds == list(ISSUE_KINDS)
    assert {issue for issues in listed.values() for issue in issues.split(", ")} == set(ISSUES)
