"""What one extraction may use. The sandbox and the extractors enforce it; each limit has its own error code."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one file's reading. Sizes in bytes, times in seconds.

    `wall_seconds` counts only time spent waiting for the reader, not the time its consumer takes between pieces.
    """

    wall_seconds: float = 600.0
    cpu_seconds: int = 300
    memory_bytes: int = 1024 * MIB
    written_bytes: int = 256 * MIB
    open_files: int = 64
    output_bytes: int = 256 * MIB
    output_floor: int = 16 * MIB
    output_ratio: int = 20
    pages: int = 10_000
    cells: int = 10_000_000
    grid_cells: int = 16_000_000
    archive_entries: int = 10_000
    unpacked_bytes: int = 1024 * MIB
    unpacked_floor: int = 64 * MIB
    unpacked_ratio: int = 200
    json_bytes: int = 32 * MIB
    children: int = 200
    child_depth: int = 4
    child_bytes: int = 256 * MIB
    pixels: int = 100_000_000
    ocr_pages: int = 200

    def output_for(self, size: int) -> int:
        """Return how many bytes of text a file of `size` bytes may give: small files do not legitimately give much."""
        return min(self.output_bytes, max(self.output_floor, size * self.output_ratio))

    def unpacked_for(self, packed: int) -> int:
        """Return how many bytes `packed` compressed bytes may unpack to."""
        return min(self.unpacked_bytes, max(self.unpacked_floor, packed * self.unpacked_ratio))
