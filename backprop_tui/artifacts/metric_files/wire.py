"""The bytes of an event file: its checksum, and the fields of a protobuf message, of any input whatever."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Wire types of protobuf."""
_POLYNOMIAL = 0x82F63B78
_MASK = 0xA282EAD8
_ALL = 0xFFFFFFFF
_VARINT_BYTES = 10


class Malformed(ValueError):
    """Bytes that are no message."""


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_TABLE = tuple(map(_crc_of_byte, range(256)))


def masked_crc(data: bytes) -> int:
    """CRC-32C as record files keep it: turned and shifted, so that a checksum of checksums stays one."""
    crc, table = _ALL, _TABLE
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= _ALL
    return ((crc >> 15 | crc << 17) + _MASK) & _ALL


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """The fields of a message as (number, wire type, value); numbers of fixed size come as their bytes.

    Raises:
        Malformed: the data is no message.
    """
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = varint(data, at)
        else:
            size = 8 if kind == FIXED64 else 4 if kind == FIXED32 else -1
        if size < 0 or at + size > end:
            raise Malformed
        yield number, kind, data[at : at + size]
        at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at `at`, and where what follows it begins.

    Raises:
        Malformed: there is none.
    """
    value = 0
    for count, byte in enumerate(data[at : at + _VARINT_BYTES]):
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value, at + count + 1
    raise Malformed


def signed(value: int) -> int:
    """A varint as a signed number of 64 bits."""
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value
