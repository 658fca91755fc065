"""One generation of an owner's vectors as FAISS files in a folder: written once, mapped into memory by its readers.

`index.faiss` is the index, `passages.npy` the passages' numbers in its order, rising, `about.json` what both must be.
A folder appears whole or not at all. The one module that imports FAISS.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from orchestra.common.disk import sync
from orchestra.common.identifiers import new_id
from search.errors import MirrorUnavailable
from search.passages import ORDINAL_BITS, document_of
from search.vector_stores.base import Neighbour
from search.vector_stores.mirror import Generation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INDEX, PASSAGES, ABOUT = "index.faiss", "passages.npy", "about.json"
_TEMPORARY = ".tmp-"
_BLOCK = 1 << 20
_SMALL_SHARE = 0.3  # of the vectors; for less, comparing those alone is faster than the graph, and exact


@dataclass(frozen=True, slots=True)
class Shape:
    """How vectors are indexed.

    All are compared with a question up to `flat_rows`; beyond that a graph is walked, with `links` per vector, built
    by looking at `construction` candidates and searched by looking at `candidates`. `threads` are FAISS's.
    """

    flat_rows: int = 20_000
    links: int = 16
    construction: int = 128
    candidates: int = 400
    threads: int = 1


@dataclass(frozen=True, slots=True)
class _About:
    passages: int
    dimensions: int
    sums: dict[str, int]


class FaissGeneration(Generation):
    """A generation that was opened: mapped, so that all processes share its pages and a removed file stays readable."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        """Check and map the files of `folder`, which is named by the generation. Raises MirrorUnavailable."""
        import numpy as np

        faiss = _library()
        self.id = UUID(hex=folder.name)
        self.folder = folder
        self._shape = shape
        about = _checked(folder)
        try:
            self.index = faiss.read_index(str(folder / INDEX), faiss.IO_FLAG_MMAP_IFC)
            self.passages = np.load(folder / PASSAGES, mmap_mode="r", allow_pickle=False)
        except (OSError, RuntimeError, ValueError) as exc:
            raise _damaged(folder, exc) from exc
        if not self.index.ntotal == len(self.passages) == about.passages:
            raise _damaged(folder, "the index and its passages do not belong together")

    def __len__(self) -> int:
        """Return the number of passages."""
        return len(self.passages)

    @property
    def is_graph(self) -> bool:
        """Whether a graph is walked; otherwise all vectors are compared."""
        return hasattr(self.index, "hnsw")

    @property
    def last_document(self) -> int:
        """The number of the last document, 0 where there is none."""
        return document_of(int(self.passages[-1])) if len(self) else 0

    def search(self, vector: NDArray[np.float32], limit: int, documents: Sequence[int] | None) -> list[Neighbour]:
        """Return the nearest passages; of these documents, by number, where given."""
        faiss = _library()
        faiss.omp_set_num_threads(self._shape.threads)  # of the calling thread, and there is a new one per request
        index, options = self.index, {}
        if documents is not None:
            chosen = self._chosen(documents)
            options["sel"] = faiss.IDSelectorBitmap(_bits(chosen))
            if hasattr(index, "hnsw") and chosen.sum() < _SMALL_SHARE * len(self):
                index = faiss.downcast_index(index.storage)
        limit = min(limit, len(self))
        way = self._way(index, limit, options)
        cosines, found = index.search(vector.reshape(1, -1), limit, params=way)
        kept = found[0] >= 0  # where fewer are found than asked for, -1
        passages = self.passages[found[0][kept]]
        return list(map(Neighbour, passages.tolist(), cosines[0][kept].tolist()))

    def _way(self, index: Any, limit: int, options: dict[str, Any]) -> Any:
        faiss = _library()
        if hasattr(index, "hnsw"):
            return faiss.SearchParametersHNSW(efSearch=max(self._shape.candidates, limit), **options)
        return faiss.SearchParameters(**options) if options else None

    def _chosen(self, documents: Sequence[int]) -> NDArray[np.bool_]:
        """Return for each vector whether it is of one of the documents, shape (passages,)."""
        import numpy as np

        first = np.sort(np.asarray(documents, dtype=np.int64)) << ORDINAL_BITS
        starts = np.searchsorted(self.passages, first)
        ends = np.searchsorted(self.passages, first + (1 << ORDINAL_BITS))
        edges = np.zeros(len(self) + 1, dtype=np.int32)
        np.add.at(edges, starts, 1)
        np.add.at(edges, ends, -1)
        return np.cumsum(edges[:-1]) > 0


class Builder:
    """Collects vectors and writes them as a generation."""

    def __init__(self, dimensions: int, expected: int, shape: Shape, base: FaissGeneration | None = None) -> None:
        """Begin an index that suits the `expected` number of vectors, or with a copy of `base`, to add to it.

        Half precision, as in PostgreSQL. Raises MirrorUnavailable where `base` was removed meanwhile.
        """
        faiss = _library()
        faiss.omp_set_num_threads(shape.threads)
        half, product = faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
        self._dimensions = dimensions
        self._passages: list[NDArray[np.int64]] = []
        self._index: Any
        if base is not None:
            self._index = _in_memory(base.folder)  # what is mapped cannot grow: the library ends the process
            self._passages.append(base.passages)
        elif expected <= shape.flat_rows:
            self._index = faiss.IndexScalarQuantizer(dimensions, half, product)
        else:
            self._index = faiss.IndexHNSWSQ(dimensions, half, shape.links, product)
            self._index.hnsw.efConstruction = shape.construction

    def add(self, passages: NDArray[np.int64], matrix: NDArray[np.float32]) -> None:
        """Add vectors of unit length, shape (n, dimensions); their passages' numbers rise, also above those before."""
        if len(passages):
            self._passages.append(passages)
            self._index.add(matrix)

    def write(self, parent: Path) -> Path:
        """Write a new generation's folder into `parent` and return it. Raises OSError."""
        import numpy as np

        faiss = _library()
        name = new_id().hex
        with _appearing(parent, name) as folder:
            faiss.write_index(self._index, str(folder / INDEX))
            passages = np.concatenate(self._passages) if self._passages else np.zeros(0, dtype=np.int64)
            np.save(folder / PASSAGES, passages, allow_pickle=False)
            sums = {name: _sum(folder / name) for name in (INDEX, PASSAGES)}
            about = _About(len(passages), self._dimensions, sums)
            (folder / ABOUT).write_text(json.dumps(asdict(about)))
        return parent / name


def _library() -> Any:
    """Return FAISS: the types that come with it are not those of its Python functions."""
    import faiss

    return faiss


def _in_memory(folder: Path) -> Any:
    try:
        return _library().read_index(str(folder / INDEX))
    except RuntimeError as exc:
        raise _damaged(folder, exc) from exc


def _bits(chosen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    import numpy as np

    return np.packbits(chosen, bitorder="little")


def _checked(folder: Path) -> _About:
    """Return what the folder should hold, compared with what it holds.

    Because the library trusts a file: a damaged graph would end the process.
    """
    try:
        about = _About(**json.loads((folder / ABOUT).read_text()))
        sums = {name: _sum(folder / name) for name in (INDEX, PASSAGES)}
    except (OSError, ValueError, TypeError) as exc:
        raise _damaged(folder, exc) from exc
    if sums != about.sums:
        raise _damaged(folder, "its files are not as they were written")
    return about


def _damaged(folder: Path, reason: object) -> MirrorUnavailable:
    return MirrorUnavailable(f"The FAISS files in {folder} cannot be used: {reason}.")


def _sum(path: Path) -> int:
    total = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            total = zlib.crc32(block, total)
    return total


@contextmanager
def _appearing(parent: Path, name: str) -> Iterator[Path]:
    """Make a folder that appears in `parent` when it is whole and on the disk."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = parent / (_TEMPORARY + name)
    folder.mkdir()
    try:
        yield folder
        for path in (*folder.iterdir(), folder):
            sync(path)
        folder.rename(parent / name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # nothing is there any more once it has its name
    sync(parent)
