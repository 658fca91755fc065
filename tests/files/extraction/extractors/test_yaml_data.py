from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

YAML = "application/yaml"
SERVICES = "".join(
    f"  service{at}:\n    # why it is here\n    image: registry.example.org/part:{at}\n"
    f"    ports:\n      - {8000 + at}\n"
    for at in range(40)
)


class TestYamlExtractor(ExtractorContract):
    media_type = YAML
    ending = "yaml"
    sample = f"name: fleet\nversion: '3'\nservices:\n{SERVICES}".encode()
    says = "image: registry.example.org/part:39"

    def test_segments_carry_the_keys_above_them_and_their_lines(self, path: Path) -> None:
        found = segments(read(path, YAML))
        assert len(found) > 3
        assert found[2].place.headings == ("services",)
        assert found[-1].place.line_end == 203

    def test_comments_are_kept_and_keys_are_told(self, path: Path) -> None:
        pieces = read(path, YAML)
        assert text_of(pieces).count("# why it is here") == 40
        told = facts(pieces)
        assert (told["keys"], told["title"], told["depth"]) == (["name", "version", "services"], "fleet", 4)


def test_several_documents_are_counted(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "k.yaml", "kind: Service\n---\nkind: Pod\nspec: {a: 1}\n"), YAML)
    assert facts(pieces)["document_count"] == 2
    assert facts(pieces)["keys"] == ["kind", "spec"]


def test_aliases_and_tags_are_text_and_nothing_else(tmp_path: Path) -> None:
    layers = "a: &a [x, x, x]\n" + "".join(
        f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join(['*' + chr(97 + at)] * 9)}]\n" for at in range(20)
    )
    content = layers + "evil: !!python/object/apply:os.system ['touch here']\n"
    pieces = read(write(tmp_path / "a.yaml", content), YAML)
    assert "touch here" in text_of(pieces)
    assert len(text_of(pieces)) < 2 * len(content)
    assert facts(pieces)["alias_count"] == 180


@pytest.mark.parametrize(
    "content", ["[" * 50_000, "- " * 50_000, "".join(f"{' ' * at}k:\n" for at in range(2000)), "a: b: c\n"]
)
def test_what_is_too_deep_or_no_yaml_is_read_as_its_lines(tmp_path: Path, content: str) -> None:
    pieces = read(write(tmp_path / "d.yaml", content), YAML)
    assert facts(pieces)["valid"] is False
    assert not warnings_of(pieces)
    assert sum(map(len, text_of(pieces).split())) == sum(map(len, content.split()))


TEXT = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Zl", "Zp"], exclude_characters="\ufeff")


@settings(deadline=None)  # the machine may be busy
@given(st.text(TEXT, max_size=300))
def test_no_word_is_ever_lost(text: str) -> None:
    content = "key:\n  - " + text.replace(" ", "\n    ") + "\nlast: one\n"
    with TemporaryDirectory() as folder:
        found = text_of(read(write(Path(folder) / "t.yaml", content), YAML))
    assert set(content.split()) <= set(found.split())
