from __future__ import annotations

from pathlib import Path

import pytest

from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of, warnings_of
from tests.files.extraction.samples import write

TOML = "application/toml"
INI = "text/x-ini"


class TestTomlExtractor(ExtractorContract):
    media_type = TOML
    ending = "toml"
    sample = (
        '[project]\nname = "orrery"\nversion = "1.2"\n'
        + "".join(f"[tool.part{at}]\n# turns slowly\nteeth = {at}\nmaterial = 'brass'\n" for at in range(60))
        + "[[moon]]\nname = 'Io'\n"
    ).encode()
    says = "name = 'Io'"

    def test_segments_carry_their_table(self, path: Path) -> None:
        found = segments(read(path, TOML))
        assert found[1].place.headings == ("tool",)
        assert found[-1].place.line_end == 245

    def test_keys_and_title_are_told(self, path: Path) -> None:
        told = facts(read(path, TOML))
        assert (told["valid"], told["keys"], told["title"]) == (True, ["project", "tool", "moon"], "orrery")


class TestIniExtractor(ExtractorContract):
    media_type = INI
    ending = "ini"
    sample = "".join(
        f"[server {at}]\n; a remark\nhost = host{at}.example.org\nport: {at}\n" for at in range(50)
    ).encode()
    says = "host = host49.example.org"

    def test_sections_and_keys_are_told(self, path: Path) -> None:
        told = facts(read(path, INI))
        assert told["sections"] == [f"server {at}" for at in range(50)]
        assert told["keys"] == ["host", "port"]


def test_properties_and_env_files_are_read_too(tmp_path: Path) -> None:
    content = (
        "# a remark\nexport DB_URL=postgres://x\nlong.key = first \\\n  second = not a key\nlast: 1\nmoon=I\\u006f\n"
    )
    pieces = read(write(tmp_path / "a.properties", content), INI)
    assert facts(pieces)["keys"] == ["DB_URL", "long.key", "last", "moon"]
    assert text_of(pieces) == content.strip().replace("\\u006f", "o")


def test_a_text_of_several_lines_holds_no_keys(tmp_path: Path) -> None:
    pieces = read(write(tmp_path / "m.toml", 'a = """\n[not.a.table]\nb = 1\n"""\nc = 2\n'), TOML)
    assert facts(pieces)["keys"] == ["a", "c"]
    assert segments(pieces)[0].place.headings == ()


@pytest.mark.parametrize("content", ["a = " + "[" * 50_000, ".".join("a" * 50_000) + " = 1", "= broken\nwords here\n"])
def test_what_does_not_parse_is_read_as_its_lines(tmp_path: Path, content: str) -> None:
    pieces = read(write(tmp_path / "b.toml", content), TOML)
    assert facts(pieces)["valid"] is False
    assert not warnings_of(pieces)
    assert len(text_of(pieces).replace("\n", "")) >= len(content.replace("\n", "").strip()) - 1
