"""
A small synthetic world with known ground truth, written as raw files in typical formats, with some invalid rows.

`World` holds the settings and `write_world` writes the files; the `recsys demo` command and the tests use them.
"""

from recsys.demo.world import World
from recsys.demo.write import WorldSummary, write_world

__all__ = ["World", "WorldSummary", "write_world"]
