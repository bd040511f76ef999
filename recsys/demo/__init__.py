"""
A small synthetic world with known truth, written as the same raw files a customer would bring, dirt included.

`write_world` is the door; `World` holds the settings.
"""

from recsys.demo.world import N_SOUNDING, World
from recsys.demo.write import WorldSummary, write_world

__all__ = ["N_SOUNDING", "World", "WorldSummary", "write_world"]
