"""
Tensors out of a TensorFlow checkpoint, without TensorFlow.

A checkpoint is two files: an index, which is a sorted table of (name, where and what the tensor is), in the format of
LevelDB's tables with protocol buffers as values; and the tensors' bytes, one after the other.

Sources: LevelDB, table_format.md; TensorFlow, tensor_bundle.proto; Protocol Buffers, Encoding.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recsys.arrays import F32
from recsys.errors import SetupError

Message: TypeAlias = dict[int, list[Any]]  # field number -> its values, in order

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
FLOAT32 = 1  # of TensorFlow's data types, the one that weights have
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


def read_checkpoint(folder: Path) -> dict[str, F32]:
    """
    Read every float32 tensor of a checkpoint.

    Args:
        folder: Where its files `.index` and `.data-00000-of-00001` lie.

    Returns:
        Arrays by name; other types (step counters) are left out.

    Raises:
        SetupError: A file is missing, cut short, or no checkpoint.
    """
    index, data = (folder / name for name in (".index", ".data-00000-of-00001"))
    try:
        table, values = index.read_bytes(), data.read_bytes()
        entries = {name.decode(): _message(entry) for name, entry in _entries(table) if name}
        return {name: _tensor(entry, values) for name, entry in entries.items() if entry.get(1, [0])[0] == FLOAT32}
    except (OSError, IndexError, ValueError, struct.error) as broken:
        raise SetupError(
            f"{folder} holds no whole TensorFlow checkpoint: {broken}. Install its package again"
        ) from broken


def _tensor(entry: Message, values: bytes) -> F32:
    """Cut one tensor out; fields of its entry: 2 shape, 4 offset, 5 size."""
    dims = _message(entry[2][0]).get(2, []) if 2 in entry else []
    shape = tuple(int(_message(dim).get(1, [0])[0]) for dim in dims)
    offset, size = entry.get(4, [0])[0], entry[5][0]
    if offset + size > len(values):
        raise ValueError(f"it has {len(values):,} bytes of tensors, {offset + size:,} expected")
    return np.frombuffer(values, "<f4", size // 4, offset).reshape(shape).astype(np.float32)


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-FOOTER_BYTES:]
    if struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("the index does not end as a table does")
    at = 0
    for _ in range(2):  # the block of blocks of statistics, not needed
        _, at = _varint(footer, at)
    start, at = _varint(footer, at)
    size, _ = _varint(footer, at)
    for _, handle in _block(table, start, size):
        block_start, at = _varint(handle, 0)
        block_size, _ = _varint(handle, at)
        yield from _block(table, block_start, block_size)


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield keys and values; a key shares its first bytes with the key before."""
    if table[start + size] != 0:
        raise ValueError("the index is compressed, which is not understood here")
    block = table[start : start + size]
    (n_restarts,) = struct.unpack("<I", block[-4:])
    at, key, end = 0, b"", len(block) - 4 * (n_restarts + 1)
    while at < end:
        n_shared, at = _varint(block, at)
        n_own, at = _varint(block, at)
        n_value, at = _varint(block, at)
        key = key[:n_shared] + block[at : at + n_own]
        at += n_own
        yield key, block[at : at + n_value]
        at += n_value


def _message(encoded: bytes) -> Message:
    fields: Message = {}
    at = 0
    while at < len(encoded):
        tag, at = _varint(encoded, at)
        value, at = _field(encoded, at, tag & 7)
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _field(encoded: bytes, at: int, wire_type: int) -> tuple[Any, int]:
    if wire_type == VARINT:
        return _varint(encoded, at)
    if wire_type == BYTES:
        size, at = _varint(encoded, at)
        return encoded[at : at + size], at + size
    width = {FIXED64: 8, FIXED32: 4}[wire_type]
    return encoded[at : at + width], at + width


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    """Read a number of seven bits a byte, the lowest first; returns it and the place after it."""
    value = shift = 0
    while True:
        byte = encoded[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
