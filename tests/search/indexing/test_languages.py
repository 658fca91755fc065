from __future__ import annotations

import pytest

from search.indexing.languages import configuration, detected, lexeme_prefix, normalised, of_file, sample

SPANISH = "Los ingenieros midieron los puentes del puerto viejo mientras llovía sobre toda la ciudad."


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *[("en-US", "en"), ("zh_Hant", "zh"), ("deu", "de"), ("iw", "he"), ("nb-NO", "no"), ("EN", "en")],
        *[("Python", ""), ("", ""), ("english language", ""), ("x" * 1000, ""), ("und", "")],
    ],
)
def test_tags_become_codes(tag: str, code: str) -> None:
    assert normalised(tag) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (SPANISH, "es"),
        ("Der Dieselmotor zündet seinen Kraftstoff durch Verdichtung.", "de"),
        ("猫睡在温暖的窗台上。", "zh"),
        ("猫は暖かい窓辺で眠っています。", "ja"),
        ("12345 67.8 2023-01-01", ""),
        ("", ""),
        ("\x00\ufffe\ud800", ""),
        # Names do not make a Spanish sentence English.
        (
            "En los negocios, Microsoft Satya Nadella, Oracle Corporation Larry Ellison, Goldman Sachs Jon Corzine, "
            "McKinsey James Mackinsey y Arley Cathey están entre los antiguos alumnos notables de la universidad.",
            "es",
        ),
    ],
)
def test_the_language_of_a_text(text: str, code: str) -> None:
    assert detected(text) == code


def test_the_text_decides_on_stemming_and_the_document_on_what_is_shown() -> None:
    assert of_file("document", "en-US", SPANISH) == ("en", "es")
    assert of_file("document", "", SPANISH) == ("es", "es")
    assert of_file("document", "fr", "123") == ("fr", "fr")
    assert of_file("code", "Python", SPANISH) == ("", "")


def test_configurations() -> None:
    assert (configuration("es", "english"), configuration("pl", "english")) == ("spanish", "simple")
    assert configuration("", "my.own") == "my.own"
    assert (lexeme_prefix("spanish"), lexeme_prefix("simple"), lexeme_prefix("my.own")) == ("es=", "", "my.own=")


def test_a_sample_has_a_limit() -> None:
    assert len(sample("x" * 5000 for _ in range(1000))) < 21_000
