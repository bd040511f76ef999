"""Times as people write them."""


def clock(seconds: float) -> str:
    """
    Write a time.

    >>> clock(5.25), clock(125.7), clock(36_000)
    ('0:05.2', '2:05.7', '10:00:00')
    """
    whole, tenths = divmod(round(seconds * 10), 10)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}:{rest:02d}.{tenths}"
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"
