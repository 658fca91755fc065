"""Compare the embedding engines: `python -m tests.benchmarks.bench_embedding [--passages 200] [--rounds 3]`.

Every engine runs in its own process, so that import, load and peak memory are its own; the rounds alternate between
the engines, because other work on the machine moves absolute figures: read the ratios. The texts are real prose and
code: this project's. What was measured is kept for `python -m tests.benchmarks.report`.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search.indexing.embedders.onnx import OnnxEmbedder
from search.indexing.embedders.openvino import OpenVinoEmbedder
from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
from search.indexing.embedding import Embedder
from search.indexing.fast import FastEmbedder
from tests.benchmarks.recording import ROOT, load_average, record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

REFERENCE = "sentence-transformers"
ENGINES: dict[str, Callable[[str], Embedder]] = {
    REFERENCE: lambda _: SentenceTransformerEmbedder(),
    "onnx": lambda cache_dir: OnnxEmbedder(cache_dir=cache_dir),
    "openvino": lambda cache_dir: OpenVinoEmbedder(cache_dir=cache_dir),
    "fast": lambda cache_dir: FastEmbedder(cache_dir=cache_dir),
}
Figures = dict[str, float]


def passages(count: int) -> list[str]:
    """Return pieces of this project's documents and code of about 20 to 256 tokens, the same ones in each run."""
    chance = random.Random(7)
    paths = [*sorted(ROOT.glob("docs/**/*.md")), *sorted(ROOT.glob("search/**/*.py"))]
    words = " ".join(path.read_text("utf-8") for path in paths).split()
    lengths = [chance.randint(15, 150) for _ in range(count)]
    starts = [chance.randrange(len(words) - 150) for _ in range(count)]
    return [" ".join(words[start : start + length]) for start, length in zip(starts, lengths, strict=True)]


def measure(name: str, count: int, cache_dir: str) -> Figures:
    """Return this process's figures for one engine: seconds, passages a second, GFLOP/s, milliseconds, MB."""
    import numpy as np

    started = time.perf_counter()
    engine = ENGINES[name](cache_dir)
    engine.embed_query("warm up")
    loaded = time.perf_counter()
    texts = passages(count)
    engine.embed_passages(texts[:8])
    begun = time.perf_counter()
    vectors = engine.embed_passages(texts)
    seconds = time.perf_counter() - begun
    np.save(_vectors_path(name, cache_dir), vectors)
    queries = [_seconds(lambda: engine.embed_query(f"what did report {n} say about revenue?")) for n in range(40)]  # noqa: B023
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    work = sum(_operations(min(tokens, engine.max_tokens) + 2) for tokens in engine.token_counts(texts))
    share = work / seconds / matrix_rate() if name == "openvino" else 0.0
    query = statistics.median(queries) * 1000
    return {"load": loaded - started, "rate": count / seconds, "query": query, "memory": peak, "share": share}


def _operations(tokens: int) -> float:
    """Return the multiplications and additions in all-MiniLM-L6-v2's matrices for one text."""
    hidden, inner, layers = 384, 1536, 6
    return layers * (2 * tokens * (4 * hidden**2 + 2 * hidden * inner) + 4 * tokens**2 * hidden)


def matrix_rate() -> float:
    """Return the operations a second of OpenVINO's largest matrix product here, in its own precision, on all cores."""
    import numpy as np
    import openvino as ov
    from openvino import opset13 as operations

    size = 2048
    left = operations.parameter([size, size], np.float32)
    right = operations.constant(np.random.default_rng(7).standard_normal((size, size)).astype(np.float32))
    model = ov.Model([operations.matmul(left, right, False, True)], [left])
    request = ov.Core().compile_model(model, "CPU", {"ENABLE_CPU_PINNING": False}).create_infer_request()
    argument = np.ones((size, size), np.float32)
    return 2 * size**3 / statistics.median(_seconds(lambda: request.infer([argument])) for _ in range(12))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _vectors_path(name: str, cache_dir: str) -> Path:
    return Path(cache_dir) / f"{name}.npy"


def likeness(name: str, cache_dir: str) -> tuple[float, float]:
    """Return the least cosine of an engine's vectors to the reference's, and the share of equal nearest ten."""
    import numpy as np

    ours, theirs = (np.load(_vectors_path(one, cache_dir)) for one in (name, REFERENCE))
    pairs = zip(_nearest(ours), _nearest(theirs), strict=True)
    overlap = statistics.mean(len(set(one) & set(other)) / 10 for one, other in pairs)
    return float((ours * theirs).sum(axis=1).min()), overlap


def _nearest(vectors: Vectors) -> list[list[int]]:
    import numpy as np

    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -1)
    nearest: list[list[int]] = np.argsort(-scores, axis=1)[:, :10].tolist()
    return nearest


def run(name: str, count: int, cache_dir: str) -> Figures:
    """Measure one engine in a new process."""
    options = ["--engine", name, "--passages", str(count), "--cache-dir", cache_dir]
    command = [sys.executable, "-m", "tests.benchmarks.bench_embedding", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(count: int, rounds: int, cache_dir: str) -> None:
    """Record the medians of all engines, and their ratios to the reference, over alternating rounds."""
    load = load_average()
    for name in ("onnx", "openvino", "fast"):
        run(name, 10, cache_dir)  # prepares the model, which is not part of a load
    results: dict[str, list[Figures]] = {name: [] for name in ENGINES}
    for _ in range(rounds):
        for name in ENGINES:
            results[name].append(run(name, count, cache_dir))
    for name in ENGINES:
        record("embedding", name, _row(name, results, cache_dir), load)


def _row(name: str, results: dict[str, list[Figures]], cache_dir: str) -> dict[str, Any]:
    own, reference = results[name], results[REFERENCE]

    def ratio(key: str) -> float:
        return statistics.median(one[key] / other[key] for one, other in zip(own, reference, strict=True))

    def median(key: str) -> float:
        return statistics.median(one[key] for one in own)

    least, overlap = likeness(name, cache_dir)
    return {
        "passages/s": median("rate"),
        "× reference": ratio("rate"),
        "query ms": median("query"),
        "query, ratio": ratio("query"),
        "import + load s": median("load"),
        "load, ratio": ratio("load"),
        "peak MB": median("memory"),
        "memory, ratio": ratio("memory"),
        "share of the matrix rate": median("share") or "–",
        "least cosine": f"{least:.5f}",
        "same top 10": f"{overlap:.3f}",
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the comparison, or one engine as its child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine")
    parser.add_argument("--cache-dir")
    chosen = parser.parse_args(arguments)
    if chosen.engine:
        sys.stdout.write(f"{json.dumps(measure(chosen.engine, chosen.passages, chosen.cache_dir))}\n")
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(chosen.passages, chosen.rounds, chosen.cache_dir or folder)


if __name__ == "__main__":
    main()
