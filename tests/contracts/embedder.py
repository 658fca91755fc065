"""What every embedder promises. A test class inherits this and gives the fixture `embedder`."""

from __future__ import annotations

import os
import signal
import threading

import numpy as np
import pytest

from search.indexing.embedding import Embedder

TEXTS = [
    "The cat sleeps on the warm mat.",
    "",
    " \n\t ",
    "Zażółć gęślą jaźń — naïve café, ΑΒΓ, 😀👩‍👩‍👧 emoji",
    "搜索引擎把文件分成段落。然后计算向量。東京タワーは高い。",
    "مرحبا بالعالم",
    "word " * 900,
    "\ud800 broken \x00 signs",
    "x" * 5000,
    "A cat was sleeping on a mat that is warm.",
    "Quarterly revenue of the subsidiary fell by 4.5 % in 2021.",
]


class EmbedderContract:
    """Inherit, and define the fixture `embedder`."""

    def test_it_says_what_it_is(self, embedder: Embedder) -> None:
        assert embedder.model_id
        assert embedder.dimensions > 0
        assert embedder.max_tokens > 0

    def test_passages_become_one_unit_vector_each(self, embedder: Embedder) -> None:
        vectors = embedder.embed_passages(TEXTS)
        assert vectors.shape == (len(TEXTS), embedder.dimensions)
        assert vectors.dtype == np.float32
        assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)

    def test_no_passages_become_no_vectors(self, embedder: Embedder) -> None:
        assert embedder.embed_passages([]).shape == (0, embedder.dimensions)

    def test_a_query_is_one_unit_vector(self, embedder: Embedder) -> None:
        vector = embedder.embed_query("Where does the cat sleep?")
        assert vector.shape == (embedder.dimensions,)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)

    def test_a_vector_does_not_depend_on_the_texts_beside_it(self, embedder: Embedder) -> None:
        together = embedder.embed_passages(TEXTS)
        alone = np.stack([embedder.embed_passages([text])[0] for text in TEXTS])
        assert (together * alone).sum(axis=1).min() > 0.99999

    def test_like_texts_are_nearer_than_unlike_ones(self, embedder: Embedder) -> None:
        vectors = embedder.embed_passages(TEXTS)
        assert vectors[0] @ vectors[9] > vectors[0] @ vectors[10] + 0.3
        query = embedder.embed_query("a sleeping cat")
        assert query @ vectors[0] > query @ vectors[10] + 0.2

    def test_tokens_are_counted_uncut_and_additively_over_white_space(self, embedder: Embedder) -> None:
        assert embedder.token_counts([]) == []
        assert embedder.token_counts(TEXTS) == [embedder.count_tokens(text) for text in TEXTS]
        assert embedder.count_tokens("") == 0
        assert embedder.count_tokens("word " * 900) == 900
        one, two = "Größe: 12,5 cm", "搜索 engines"
        assert embedder.count_tokens(f"{one}\n{two}") == embedder.count_tokens(one) + embedder.count_tokens(two)

    def test_the_last_token_of_the_window_counts_and_the_next_does_not(self, embedder: Embedder) -> None:
        room = embedder.max_tokens - 1
        full = ["blue " * room + last for last in ("blue", "volcano")]
        over = ["blue " * (room + 1) + last for last in ("blue", "volcano")]
        vectors = embedder.embed_passages(full + over)
        assert vectors[0] @ vectors[1] < 0.999998
        assert vectors[2] @ vectors[3] > 0.9999989

    def test_threads_may_share_it(self, embedder: Embedder) -> None:
        expected = embedder.embed_passages(TEXTS)
        results: list[float] = []

        def run() -> None:
            assert embedder.token_counts(TEXTS)
            results.append(float((embedder.embed_passages(TEXTS) * expected).sum(axis=1).min()))

        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(results) == 4
        assert min(results) > 0.99999

    def test_a_fork_of_a_process_that_used_it_can_use_it(self, embedder: Embedder) -> None:
        expected = embedder.embed_passages(TEXTS)
        child = os.fork()
        if child == 0:
            same = False
            signal.alarm(60)  # a child that hangs must not outlive the test
            try:
                same = bool((embedder.embed_passages(TEXTS) * expected).sum(axis=1).min() > 0.99999)
            finally:
                os._exit(0 if same else 1)
        assert os.waitpid(child, 0)[1] == 0
