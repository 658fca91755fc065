"""The files of a soak run: from 0 bytes to 200 MB, most of them small, each made from its number alone.

Small ones are texts with a page or two to index; large ones are sound recordings of noise, which are read within a
second whatever their length, so that the run tests the pipeline and not the embedding model.
"""

from __future__ import annotations

import hashlib
import random
import struct
from dataclasses import dataclass
from functools import cached_property

BLOCK = 1024**2
LARGEST = 200 * 1024**2
_HEADER = 44
_WORDS = ("harbour", "pilot", "sunrise", "ledger", "archive", "engine", "valve", "report", "winter", "signal", "letter")


@dataclass(frozen=True)
class Recording:
    """A WAV file of noise, made block by block."""

    seed: int
    size: int

    @cached_property
    def sha256(self) -> str:
        digest = hashlib.sha256()
        for start in range(0, self.size, BLOCK):
            digest.update(self.piece(start, min(start + BLOCK, self.size)))
        return digest.hexdigest()

    def piece(self, start: int, end: int) -> bytes:
        blocks = range(start // BLOCK, (end - 1) // BLOCK + 1)
        noise = b"".join(random.Random(f"{self.seed}:{number}").randbytes(BLOCK) for number in blocks)
        offset = start - blocks.start * BLOCK
        piece = noise[offset : offset + end - start]
        if start >= _HEADER:
            return piece
        return self._header()[start : min(_HEADER, end)] + piece[_HEADER - start :]

    def _header(self) -> bytes:
        shape = struct.pack("<IHHIIHH", 16, 1, 2, 44100, 176400, 4, 16)
        length = self.size - _HEADER
        return b"RIFF" + struct.pack("<I", length + 36) + b"WAVEfmt " + shape + b"data" + struct.pack("<I", length)


def text_of(seed: int, size: int) -> bytes:
    """Return a text of `size` bytes."""
    chance = random.Random(seed)
    sentences = [f"File {seed} begins here."]
    while sum(map(len, sentences)) < size:
        words = " ".join(chance.choices(_WORDS, k=9))
        sentences.append(f"The {words} of {chance.randrange(1900, 2030)} is noted here.\n")
    return " ".join(sentences).encode()[:size]


def name_and_content(number: int, largest: int = LARGEST) -> tuple[str, bytes | Recording]:
    """Return file `number` of a run: 2 of 100 empty, 78 texts, 17 recordings of up to 8 MB, 3 of up to `largest`."""
    chance = random.Random(f"size {number}")
    kind = number % 100
    if kind in (7, 57):
        return f"empty-{number}.txt", b""
    if kind in (23, 56, 89):
        return f"large-{number}.wav", Recording(number, int(chance.uniform(min(largest, 8 * BLOCK), largest)))
    if kind % 6 == 1:
        most = min(largest, 8 * BLOCK).bit_length() - 1
        return f"recording-{number}.wav", Recording(number, int(2 ** chance.uniform(10, most)))
    return f"text-{number}.txt", text_of(number, int(2 ** chance.uniform(6, 14)))
