"""
What streaming services and broadcasters do to the level of a recording, from their published targets.

`docs/studio.md` names the source and date of each target.
"""

from dataclasses import dataclass

from recsys.errors import InputError, did_you_mean

EVEN_LU = 0.1  # a smaller change of gain is none


@dataclass(frozen=True)
class Platform:
    """
    The normalisation of a platform.

    Attributes:
        name: Name, as it is given on the command line.
        title: Name in texts.
        target_lufs: Integrated loudness to which it brings a recording [LUFS].
        ceiling_dbtp: True peak that it wants at most, and up to which it turns recordings up [dBTP].
        turns_up: Whether it turns quiet recordings up.
        loud_ceiling_dbtp: True peak that it wants of recordings louder than the target [dBTP].
    """

    name: str
    title: str
    target_lufs: float
    ceiling_dbtp: float
    turns_up: bool
    loud_ceiling_dbtp: float


PLATFORMS = {
    platform.name: platform
    for platform in (
        Platform("spotify", "Spotify", -14.0, -1.0, turns_up=True, loud_ceiling_dbtp=-2.0),
        Platform("apple", "Apple Music", -16.0, -1.0, turns_up=True, loud_ceiling_dbtp=-1.0),
        Platform("youtube", "YouTube", -14.0, -1.0, turns_up=False, loud_ceiling_dbtp=-1.0),
        Platform("broadcast", "Broadcast (EBU R 128)", -23.0, -1.0, turns_up=True, loud_ceiling_dbtp=-1.0),
    )
}


@dataclass(frozen=True)
class Playback:
    """
    How a platform will play a recording.

    Attributes:
        platform: The platform.
        gain_db: Gain that it applies [dB].
        loudness_lufs: Loudness at which listeners hear it [LUFS].
        missing_lu: Loudness that it stays below the target, because its peak leaves no more room [LU].
        is_over: Whether its true peak exceeds what the platform wants of a recording of its loudness.
    """

    platform: Platform
    gain_db: float
    loudness_lufs: float
    missing_lu: float
    is_over: bool

    @property
    def sentence(self) -> str:
        """The playback in words."""
        return f"{self.platform.title} {self._change}{self._shortfall}.{self._peak}"

    @property
    def _change(self) -> str:
        if abs(self.gain_db) < EVEN_LU:
            return f"plays it unchanged, at {self.loudness_lufs:.1f} LUFS"
        direction = "down" if self.gain_db < 0 else "up"
        return f"turns it {direction} by {abs(self.gain_db):.1f} dB, to {self.loudness_lufs:.1f} LUFS"

    @property
    def _shortfall(self) -> str:
        if self.missing_lu < EVEN_LU:
            return ""
        why = "its peak leaves no more room" if self.platform.turns_up else "quiet recordings are not turned up"
        return f", {self.missing_lu:.1f} LU below the target of {self.platform.target_lufs:g} LUFS: {why}"

    @property
    def _peak(self) -> str:
        return " Its true peak is higher than the platform asks for; encoding may clip." if self.is_over else ""


def platform_named(name: str) -> Platform:
    """Return a platform by its name; raises InputError for an unknown one."""
    if name not in PLATFORMS:
        raise InputError(
            f"There is no platform {name!r}; expected one of: {', '.join(PLATFORMS)}.{did_you_mean(name, PLATFORMS)}"
        )
    return PLATFORMS[name]


def playback(platform: Platform, loudness_lufs: float, true_peak_dbtp: float) -> Playback:
    """
    Predict the playback of a recording on a platform.

    A platform turns loud recordings down to its target. It turns quiet ones up, if at all, only until their true peak
    reaches its ceiling, and never down for the sake of the peak.
    """
    wanted_db = platform.target_lufs - loudness_lufs
    room_db = max(0.0, platform.ceiling_dbtp - true_peak_dbtp)
    gain_db = wanted_db if wanted_db <= 0 else min(wanted_db, room_db) if platform.turns_up else 0.0
    ceiling = platform.loud_ceiling_dbtp if loudness_lufs > platform.target_lufs else platform.ceiling_dbtp
    level = loudness_lufs + gain_db
    return Playback(platform, gain_db, level, max(0.0, platform.target_lufs - level), true_peak_dbtp > ceiling)
