"""Compare the embedding engines: `python tests/benchmarks/bench_embedding.py [--passages 200] [--rounds 3]`.

Every engine runs in its own process, so that import, load and peak memory are its own; the rounds alternate between
the engines, because other work on the machine moves absolute figures: read the ratios.
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
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

REFERENCE = "sentence-transformers"
SENTENCE = (
    "the system keeps every accepted file until an operator reads its report about pressure temperature revenue and "
    "contracts while engineers measure latency throughput memory of distributed databases during quarterly maintenance"
)


def passages(count: int) -> list[str]:
    """Return texts of 15 to 190 words, 20 to 256 tokens, the same ones in each run."""
    chance, words = random.Random(7), SENTENCE.split()
    return [" ".join(chance.choices(words, k=chance.randint(15, 190))) + "." for _ in range(count)]


def measure(name: str, count: int, cache_dir: str) -> dict[str, float]:
    """Return this process's figures for one engine: seconds, passages a second, MB."""
    from search.indexing.embedders.onnx import OnnxEmbedder
    from search.indexing.embedders.sentence_transformers import SentenceTransformerEmbedder
    from search.indexing.embedding import Embedder

    engines: dict[str, Callable[[], Embedder]] = {
        REFERENCE: SentenceTransformerEmbedder,
        "onnx": lambda: OnnxEmbedder(cache_dir=cache_dir),
        "onnx-1-thread": lambda: OnnxEmbedder(cache_dir=cache_dir, threads=1),
    }
    started = time.perf_counter()
    engine = engines[name]()
    engine.embed_query("warm up")
    loaded = time.perf_counter()
    engine.embed_passages(passages(8))
    texts = passages(count)
    begun = time.perf_counter()
    engine.embed_passages(texts)
    rate = count / (time.perf_counter() - begun)
    queries = []
    for number in range(40):
        begun = time.perf_counter()
        engine.embed_query(f"what did the report number {number} say about revenue?")
        queries.append((time.perf_counter() - begun) * 1000)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2)
    return {"load": loaded - started, "rate": rate, "query": statistics.median(queries), "memory": peak}


def run(name: str, count: int, cache_dir: str) -> dict[str, float]:
    """Measure one engine in a new process."""
    command = [sys.executable, __file__, "--engine", name, "--passages", str(count), "--cache-dir", cache_dir]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def compare(count: int, rounds: int, cache_dir: str) -> None:
    """Print the medians of all engines over alternating rounds."""
    names = (REFERENCE, "onnx", "onnx-1-thread")
    run("onnx", 1, cache_dir)  # builds the graph, which is not part of a load
    results: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            results[name].append(run(name, count, cache_dir))
    say(f"{'engine':24}{'passages/s':>12}{'x reference':>13}{'query ms':>10}{'import+load s':>15}{'peak MB':>9}")
    for name in names:
        median = {key: statistics.median(figures[key] for figures in results[name]) for key in results[name][0]}
        pairs = zip(results[name], results[REFERENCE], strict=True)
        ratio = statistics.median(figures["rate"] / reference["rate"] for figures, reference in pairs)
        row = f"{name:24}{median['rate']:12.1f}{ratio:13.2f}{median['query']:10.1f}"
        say(f"{row}{median['load']:15.1f}{median['memory']:9.0f}")


def say(line: str) -> None:
    """Print one line at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Run the comparison, or one engine as its child."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--engine")
    parser.add_argument("--cache-dir")
    arguments = parser.parse_args()
    if arguments.engine:
        say(json.dumps(measure(arguments.engine, arguments.passages, arguments.cache_dir)))
        return
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments.passages, arguments.rounds, arguments.cache_dir or folder)


if __name__ == "__main__":
    main()
