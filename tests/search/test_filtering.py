"""The content filter on a labelled set, and what it costs."""

from __future__ import annotations

from time import thread_time

import pytest

from search.filtering import LEFT_OUT, UNFILTERED, ContentFilter, mask
from tests.search.filtering_set import HARMLESS, SECRETS

KEYS = (
    "q2w3e4r5\n" * 10_000 + "-----END PRIVATE KEY-----",
    "q2w3e4r5 " * 10_000 + "-----END PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----" * 4_000,
)


def test_recall_and_precision_on_the_labelled_set() -> None:
    missed = [text for text, secret in SECRETS if secret in mask(text)]
    wrong = [text for text in HARMLESS if mask(text) != text]
    recall = 1 - len(missed) / len(SECRETS)
    precision = (len(SECRETS) - len(missed)) / (len(SECRETS) - len(missed) + len(wrong))
    assert recall >= 0.97, missed
    assert precision >= 0.97, [mask(text) for text in wrong]


def test_what_stands_around_stays_and_the_kind_is_named() -> None:
    assert mask("Card 4111 1111 1111 1111, exp 12/29") == "Card [masked card number], exp 12/29"
    assert mask("IBAN DE89 3704 0044 0532 0130 00 BIC X") == "IBAN [masked IBAN] BIC X"
    assert mask("password=hunter2secret; next") == "password=[masked secret]; next"


@pytest.mark.parametrize("text", [text for text, _ in SECRETS])
def test_what_was_masked_is_not_masked_again(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    "text", ["", "\x00", "\ud800", "1" * 100_000, "password=" * 5_000, "A" * 50_000, "- " * 50_000, *KEYS]
)
def test_hostile_texts_take_no_time(text: str) -> None:
    began = thread_time()
    mask(text)
    assert thread_time() - began < 20  # a pattern that goes back and forth takes minutes


def test_blocked_terms_are_left_out_as_whole_words() -> None:
    content = ContentFilter(blocked=("Falcon", "project x", " ", "c++"))
    assert (
        content.clean("FALCON and falcons, Project X in C++.") == f"{LEFT_OUT} and falcons, {LEFT_OUT} in {LEFT_OUT}."
    )
    assert ContentFilter(blocked=("",)).clean("all of it") == "all of it"


def test_nothing_is_masked_where_that_is_lifted() -> None:
    assert all(UNFILTERED.clean(text) == text for text, _ in SECRETS)
