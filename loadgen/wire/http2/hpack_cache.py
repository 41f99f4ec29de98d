"""Header compression (RFC 7541) by hpack, with a cache: header blocks repeat. Knows no frame and no stream.

A block's fields depend on its bytes and the dynamic table, and the bytes of fields depend on the fields and the table.
So a result that did not change the table is remembered until the table changes.
"""

from __future__ import annotations

from typing import Any

from hpack import Decoder, Encoder, HeaderTuple, NeverIndexedHeaderTuple
from hpack.table import HeaderTable

# Enough for every head of a normal server or client, and bounded.
_MAX_REMEMBERED = 256


def secret_field(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A field kept out of the table, so that no one can guess it by comparing sizes (RFC 7541 §7.1.3)."""
    return NeverIndexedHeaderTuple(name, value)


class _WatchedTable(HeaderTable):
    """A dynamic table that counts its changes."""

    changes = 0

    def add(self, name: bytes, value: bytes) -> None:
        self.changes += 1
        super().add(name, value)

    @property
    def maxsize(self) -> int:
        return self._maxsize

    @maxsize.setter
    def maxsize(self, newmax: int) -> None:
        self.changes += 1
        HeaderTable.maxsize.__set__(self, newmax)  # type: ignore[attr-defined] # super() has no way to set one


class RememberingEncoder(Encoder):
    """block_bytes: the length of the last block that was written."""

    def __init__(self) -> None:
        super().__init__()
        self.header_table = self._table = _WatchedTable()
        self._blocks: dict[Any, bytes] = {}
        self._changes = 0
        self.block_bytes = 0

    @property
    def header_table_size(self) -> int:
        return self._table.maxsize

    @header_table_size.setter
    def header_table_size(self, value: int) -> None:
        # The library takes the same size for no change, and then forgets to announce the size before it.
        if value != self._table.maxsize:
            Encoder.header_table_size.__set__(self, value)  # type: ignore[attr-defined] # super() has no way to set one

    def encode(self, headers: Any, huffman: bool = True) -> bytes:
        table = self._table
        fields = tuple(headers)
        # A never-indexed field equals a plain one, but is written differently.
        key = (fields, tuple(map(type, fields)), huffman)
        if table.changes != self._changes:
            self._blocks.clear()
            self._changes = table.changes
        # A size that changed is announced once, in the next block (RFC 7541 §4.2).
        announces = table.resized
        block = None if announces else self._blocks.get(key)
        if announces:
            # The library would announce every size since the last block. A decoder takes the smallest and the last,
            # and refuses any that is beyond what it allows by now (RFC 7541 §4.2, §6.3).
            sizes = self.table_size_changes
            self.table_size_changes = sorted({min(sizes), sizes[-1]})
        if block is None:
            block = super().encode(fields, huffman)
            if table.changes == self._changes and not announces and len(self._blocks) < _MAX_REMEMBERED:
                self._blocks[key] = block
        self.block_bytes = len(block)
        return block


class RememberingDecoder(Decoder):
    """Returns tuples of fields. block_bytes: the length of the last block that was read. Raises hpack's HPACKError."""

    def __init__(self) -> None:
        super().__init__()
        self.header_table = self._table = _WatchedTable()
        self._fields: dict[Any, tuple[HeaderTuple, ...]] = {}
        self._valid_for = (0, 0, 0)
        self.block_bytes = 0

    def decode(self, data: Any, raw: bool = False) -> tuple[HeaderTuple, ...]:
        block = bytes(data)
        self.block_bytes = len(block)
        now = (self._table.changes, self.max_allowed_table_size, self.max_header_list_size)
        if now != self._valid_for:
            self._fields.clear()
            self._valid_for = now
        fields = self._fields.get((block, raw))
        if fields is None:
            fields = tuple(super().decode(block, raw))
            if self._table.changes == now[0] and len(self._fields) < _MAX_REMEMBERED:
                self._fields[block, raw] = fields
        return fields
