"""Formatting of values for people."""


def format_duration(seconds: float) -> str:
    """
    Format a duration or position as minutes and seconds, or as hours, minutes and seconds if at least an hour long.

    >>> format_duration(5.25), format_duration(125.7), format_duration(36_000)
    ('0:05.2', '2:05.7', '10:00:00')
    """
    whole, tenths = divmod(round(seconds * 10), 10)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}.{tenths}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
