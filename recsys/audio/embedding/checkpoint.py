"""
Read the tensors of a TensorFlow checkpoint without TensorFlow.

A checkpoint consists of two files: an index, which is a LevelDB table from the name of a tensor to a protocol buffer
with its type, shape and position; and a data file with the bytes of the tensors.

Sources: LevelDB, table_format.md; TensorFlow, tensor_bundle.proto; Protocol Buffers, Encoding.
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recsys.arrays import F32
from recsys.errors import SetupError

Message: TypeAlias = dict[int, list[Any]]  # field number -> values, in order

MAGIC = 0xDB4775248B80FB57
FOOTER_BYTES = 48
FLOAT32 = 1  # number of the data type float32 in TensorFlow
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


def read_checkpoint(folder: Path) -> dict[str, F32]:
    """
    Read every float32 tensor of a checkpoint.

    Args:
        folder: Contains the files `.index` and `.data-00000-of-00001`.

    Returns:
        Tensor name -> array; tensors of other types (step counters) are left out.

    Raises:
        SetupError: A file is missing, truncated, or not part of a checkpoint.
    """
    index, data = (folder / name for name in (".index", ".data-00000-of-00001"))
    try:
        table, values = index.read_bytes(), data.read_bytes()
        entries = {name.decode(): _message(entry) for name, entry in _entries(table) if name}
        return {name: _tensor(entry, values) for name, entry in entries.items() if entry.get(1, [0])[0] == FLOAT32}
    except (OSError, IndexError, ValueError, struct.error) as error:
        raise SetupError(
            f"{folder} is not a complete TensorFlow checkpoint: {error}. Install the package musicnn again"
        ) from error


def _tensor(entry: Message, values: bytes) -> F32:
    """Return one tensor; in its entry, field 2 is the shape, 4 the offset and 5 the size."""
    dims = _message(entry[2][0]).get(2, []) if 2 in entry else []
    shape = tuple(int(_message(dim).get(1, [0])[0]) for dim in dims)
    offset, size = entry.get(4, [0])[0], entry[5][0]
    if offset + size > len(values):
        raise ValueError(f"found {len(values):,} bytes of tensors, expected {offset + size:,}")
    return np.frombuffer(values, "<f4", size // 4, offset).reshape(shape).astype(np.float32)


def _entries(table: bytes) -> Iterator[tuple[bytes, bytes]]:
    footer = table[-FOOTER_BYTES:]
    if struct.unpack("<Q", footer[-8:])[0] != MAGIC:
        raise ValueError("its index is not a LevelDB table (wrong last bytes)")
    position = 0
    for _ in range(2):  # skip offset and size of the metaindex block
        _, position = _varint(footer, position)
    start, position = _varint(footer, position)
    size, _ = _varint(footer, position)
    for _, handle in _block(table, start, size):
        block_start, position = _varint(handle, 0)
        block_size, _ = _varint(handle, position)
        yield from _block(table, block_start, block_size)


def _block(table: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; a key is stored without the prefix that it shares with the previous key."""
    if table[start + size] != 0:
        raise ValueError("its index is compressed, which is not supported")
    block = table[start : start + size]
    (n_restarts,) = struct.unpack("<I", block[-4:])
    position, key, end = 0, b"", len(block) - 4 * (n_restarts + 1)
    while position < end:
        n_shared, position = _varint(block, position)
        n_own, position = _varint(block, position)
        n_value, position = _varint(block, position)
        key = key[:n_shared] + block[position : position + n_own]
        position += n_own
        yield key, block[position : position + n_value]
        position += n_value


def _message(encoded: bytes) -> Message:
    fields: Message = {}
    position = 0
    while position < len(encoded):
        tag, position = _varint(encoded, position)
        value, position = _field(encoded, position, tag & 7)
        fields.setdefault(tag >> 3, []).append(value)
    return fields


def _field(encoded: bytes, position: int, wire_type: int) -> tuple[Any, int]:
    if wire_type == VARINT:
        return _varint(encoded, position)
    if wire_type == BYTES:
        size, position = _varint(encoded, position)
        return encoded[position : position + size], position + size
    width = {FIXED64: 8, FIXED32: 4}[wire_type]
    return encoded[position : position + width], position + width


def _varint(encoded: bytes, position: int) -> tuple[int, int]:
    """Read a variable-length integer, 7 bits per byte, lowest first; return it and the position after it."""
    value = shift = 0
    while True:
        byte = encoded[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
