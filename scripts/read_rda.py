"""Read the few kinds of R object that a data frame of factors is made of, from R's XDR format.

Format: R Internals, section 1.8 "Serialization Formats".
"""

from __future__ import annotations

import lzma
import struct
from pathlib import Path
from typing import Any

__all__ = ["read_rda"]

NULL, REFERENCE, SYMBOL, PAIR_LIST, STRING = 254, 255, 1, 2, 9
LOGICALS, INTEGERS, STRINGS, OBJECTS = 10, 13, 16, 19
HAS_ATTRIBUTES, HAS_TAG = 0x200, 0x400


def read_rda(path: Path) -> dict[str, Any]:
    """Read the objects saved in an xz-compressed ``.rda``: name -> list, or (list, attributes)."""
    content = lzma.decompress(path.read_bytes())
    if not content.startswith(b"RDX2\nX\n"):
        raise ValueError(f"{path} is not an .rda file of version 2 in XDR format")
    return dict(_Reader(content[7 + 12 :]).item())  # after the mark come three version numbers


class _Reader:
    def __init__(self, content: bytes) -> None:
        self.content, self.at, self.symbols = content, 0, []

    def integers(self, n: int) -> list[int]:
        self.at += 4 * n
        return list(struct.unpack_from(f">{n}i", self.content, self.at - 4 * n))

    def item(self) -> Any:
        (flags,) = self.integers(1)
        kind = flags & 0xFF
        if kind == NULL:
            return None
        if kind == REFERENCE:
            return self.symbols[(flags >> 8) - 1]
        if kind == SYMBOL:
            self.symbols.append(self.item())
            return self.symbols[-1]
        if kind == STRING:
            return self.string()
        if kind == PAIR_LIST:
            return self.pairs(flags)
        values = self.values(kind)
        return (values, dict(self.item())) if flags & HAS_ATTRIBUTES else values

    def string(self) -> str | None:
        (length,) = self.integers(1)
        if length < 0:
            return None
        self.at += length
        return self.content[self.at - length : self.at].decode()

    def pairs(self, flags: int) -> list[tuple[str | None, Any]]:
        if flags & HAS_ATTRIBUTES:
            self.item()
        tag = self.item() if flags & HAS_TAG else None
        value = self.item()
        return [(tag, value), *(self.item() or [])]

    def values(self, kind: int) -> list[Any]:
        (length,) = self.integers(1)
        if kind in (LOGICALS, INTEGERS):
            return self.integers(length)
        if kind in (STRINGS, OBJECTS):
            return [self.item() for _ in range(length)]
        raise ValueError(f"R objects of type {kind} are not needed for these files, hence not read")
