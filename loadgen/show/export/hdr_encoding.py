"""One histogram in the compressed V2 encoding of HdrHistogram, as its Java, C and Python libraries read it.

Source: `EncodableHistogram` and `ZigZagEncoding` of HdrHistogram/HdrHistogram, format V2. Knows no run.
"""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_COOKIE, _COMPRESSED_COOKIE = 0x1C849313, 0x1C849314  # V2, counts of variable length
_HEADER = struct.Struct(">iiiiqqd")
_OUTER_HEADER = struct.Struct(">ii")
_DIGITS = 3
_SUB_BUCKET_BITS = 11  # 2,048 values of their own: the next power of 2 above 2 × 10^3
_HALF_BITS = _SUB_BUCKET_BITS - 1
HIGHEST_NS = 3_600_000_000_000
"""The highest value that a histogram holds: an hour."""


def encode(values_ns: NDArray[np.int64]) -> str:
    """The histogram of these values, with three significant digits, in Base64. A higher value counts as HIGHEST_NS."""
    counts = np.bincount(_positions(np.clip(values_ns, 0, HIGHEST_NS)))
    content = _counts(counts.tolist())
    header = _HEADER.pack(_COOKIE, len(content), 0, _DIGITS, 1, HIGHEST_NS, 1.0)
    packed = zlib.compress(header + content)
    return base64.b64encode(_OUTER_HEADER.pack(_COMPRESSED_COOKIE, len(packed)) + packed).decode("ascii")


def _positions(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each value is counted: each bucket is twice as coarse as the one before, and adds half as many places."""
    # A number's exponent as a float is its length in bits: exact up to 2^53, far above HIGHEST_NS.
    bits = np.frexp((values | (1 << _SUB_BUCKET_BITS) - 1).astype(np.float64))[1].astype(np.int64)
    bucket = bits - _SUB_BUCKET_BITS
    found: NDArray[np.int64] = (bucket << _HALF_BITS) + (values >> bucket)
    return found


def _counts(counts: list[int]) -> bytes:
    """Each count, and each run of zeros as its negative length, in ZigZag and LEB128."""
    written = bytearray()
    zeros = 0
    for number in counts:
        if not number:
            zeros += 1
            continue
        if zeros:
            written += _zigzag(-zeros) if zeros > 1 else b"\0"
            zeros = 0
        written += _zigzag(number)
    return bytes(written)


def _zigzag(number: int) -> bytes:
    rest = (number << 1) ^ (number >> 63)
    written = bytearray()
    while rest > 0x7F:
        written.append(rest & 0x7F | 0x80)
        rest >>= 7
    written.append(rest)
    return bytes(written)
