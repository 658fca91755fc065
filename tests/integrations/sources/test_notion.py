"""Notion as a source: the contract on a server of its shapes, what becomes of pages, and what a hostile one may say."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from files import selectors
from files.models import ImportedItem
from files.selectors import trash_of
from integrations import services
from integrations.errors import ConnectionInvalid
from integrations.models import ExternalIntegration
from integrations.sources.base import SourceItem, SourceItemGone, SourceKeyRefused, SourceStrange, SourceUnavailable
from integrations.sources.notion import NotionSource
from orchestra.accounts.models import User
from tests.contracts.source import SourceContract, counts, imported
from tests.notion_server import TOKEN, NotionServer, Reply, rich


class NotionWorld:
    """The contract's view of the server."""

    def __init__(self, server: NotionServer) -> None:
        self._server = server
        self._ids: dict[str, str] = {}

    def connect(self, owner: User) -> ExternalIntegration:
        return services.connect(owner, "notion", "Our workspace", {"token": TOKEN})

    def put(self, name: str, words: str) -> None:
        block = self._server.words("paragraph", words)
        self._ids[name] = self._server.add_page(name, block, page_id=self._ids.get(name, ""))

    def remove(self, name: str) -> None:
        self._server.pages[self._ids[name]] |= {"in_trash": True, "archived": True}

    def refuse(self) -> None:
        self._server.token = "another"


class TestNotion(SourceContract):
    @pytest.fixture
    def world(self, notion: NotionServer) -> NotionWorld:
        return NotionWorld(notion)


@pytest.fixture
def connection(notion: NotionServer, alice: User) -> ExternalIntegration:
    return NotionWorld(notion).connect(alice)


def read(item: SourceItem) -> str:
    with item.opens() as reading:
        return b"".join(reading.pieces).decode()


def only(source: NotionSource) -> SourceItem:
    (item,) = source.items()
    return item


def test_a_page_becomes_markdown(notion: NotionServer, source: NotionSource) -> None:
    cells = [[rich("Harbour"), rich("Depth")], [rich("North | old"), rich("4 m")]]
    rows = [notion.block("table_row", {"cells": row}) for row in cells]
    inner = notion.words("bulleted_list_item", "inside")
    page_id = notion.add_page(
        "Harbours",
        notion.words("heading_1", "Where"),
        notion.words("paragraph", "# not a heading\nsecond line"),
        notion.words("bulleted_list_item", "first", inner),
        notion.words("bulleted_list_item", "second"),
        notion.words("numbered_list_item", "one"),
        notion.words("numbered_list_item", "two"),
        notion.words("to_do", "measured", checked=True),
        notion.words("code", "def f():\n    return '```'", language="python", caption=[]),
        notion.words("quote", "Deep enough."),
        notion.block("divider", {}),
        notion.block("equation", {"expression": "a^2"}),
        notion.block("table", {"table_width": 2, "has_column_header": True}, *rows),
        notion.block("paragraph", {"rich_text": rich("the pilot", "https://example.org/pilot")}),
        notion.block("child_page", {"title": "Tides"}),
        notion.block("bookmark", {"url": "javascript:alert(1)", "caption": rich("A trick")}),
        notion.block("unsupported", {}),
    )
    child = notion.children[page_id][13]["id"].replace("-", "")
    item = only(source)
    assert (item.name, item.origin) == ("Harbours.md", f"https://www.notion.so/{page_id.replace('-', '')}")
    assert read(item).split("\n\n") == [
        "# Harbours",
        "## Where",
        "\\# not a heading\nsecond line",
        "- first\n  - inside\n- second\n1. one\n2. two\n- [x] measured",
        "````python\ndef f():\n    return '```'\n````",
        "> Deep enough.",
        "$$ a^2 $$",
        "| Harbour | Depth |\n| --- | --- |\n| North \\| old | 4 m |",
        "[the pilot](https://example.org/pilot)",
        f"[Tides](https://www.notion.so/{child})",
        "A trick\n",
    ]


def test_properties_of_a_page_are_its_facts_and_rows_a_table(notion: NotionServer, source: NotionSource) -> None:
    schema = {"Depth": {"id": "a", "type": "number"}, "Name": {"id": "title", "type": "title"}}
    harbours = notion.add_data_source("Harbours", schema)
    values = {
        "Depth": {"id": "a", "type": "number", "number": 4.5},
        "Kind": {"id": "b", "type": "select", "select": {"id": "x", "name": "old", "color": "red"}},
        "Seen": {"id": "c", "type": "date", "date": {"start": "2020-01-01", "end": None, "time_zone": None}},
        "Who": {"id": "d", "type": "people", "people": [{"object": "user", "id": "1", "name": "Ada"}]},
        "Sum": {"id": "e", "type": "formula", "formula": {"type": "string", "string": "deep"}},
        "All": {"id": "f", "type": "rollup", "rollup": {"type": "array", "array": [{"type": "number", "number": 1}]}},
        "Open": {"id": "g", "type": "checkbox", "checkbox": False},
        "No": {"id": "h", "type": "unique_id", "unique_id": {"number": 3, "prefix": "H"}},
        "New": {"id": "i", "type": "of tomorrow", "of tomorrow": 1},
    }
    notion.add_row(harbours, "North", {"Name": values["Kind"], **values})
    page, table = source.items()
    assert "- Depth: 4.5\n- Kind: old\n- Seen: 2020-01-01\n- Who: Ada\n- Sum: deep\n- All: 1" in read(page)
    assert "- Open: no\n- No: H-3\n\n" in read(page) + "\n"
    assert table.name == "Harbours.md"
    assert "| Name | Depth |\n| --- | --- |" in read(table)


def test_a_table_is_changed_by_its_rows(notion: NotionServer, connection: ExternalIntegration) -> None:
    harbours = notion.add_data_source("Harbours", {"Name": {"id": "title", "type": "title"}})
    named = {"Name": {"id": "n", "type": "rich_text", "rich_text": rich("North")}}
    row = notion.add_row(harbours, "North", named)
    assert counts(imported(connection)) == {"added": 2}
    assert counts(imported(connection)) == {"unchanged": 2}
    named["Name"]["rich_text"] = rich("North, dredged")
    notion.add_row(harbours, "North", named, page_id=row)
    assert counts(imported(connection)) == {"changed": 2}


def test_an_edit_of_the_same_minute_is_not_missed(notion: NotionServer, source: NotionSource) -> None:
    page = notion.add_page("Just now")
    notion.pages[page]["last_edited_time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:00.000Z")
    assert only(source).version != notion.pages[page]["last_edited_time"]


def test_files_in_pages_are_documents_of_their_own(
    notion: NotionServer, connection: ExternalIntegration, alice: User
) -> None:
    kept = {"files": [notion.file("plan.txt", b"The plan of the north harbour.")]}
    page = notion.add_page(
        "Plans",
        notion.block("file", notion.file("chart.txt", b"The chart of the north harbour.")),
        notion.block("image", {"type": "external", "external": {"url": "https://example.org/a.png"}, "caption": []}),
        properties={"Files": {"id": "f", "type": "files", **kept}},
    )
    assert counts(imported(connection)) == {"added": 3}
    names = {file.name: file for file in selectors.files_of(alice)}
    assert set(names) == {"Plans.md", "chart.txt", "plan.txt"}
    assert all("X-Amz" not in origin for origin in ImportedItem.objects.values_list("origin", flat=True))
    token = [
        headers.get("authorization")
        for headers, asked in zip(notion.headers, notion.asked, strict=True)
        if asked[1].startswith("/files/")
    ]
    assert token == [None, None]
    # Read again, with other signatures: the files are what they were. Then one is taken out of the page.
    notion.pages[page]["last_edited_time"] = notion.edited_now()
    assert counts(imported(connection)) == {"unchanged": 3}
    notion.pages[page]["properties"].pop("Files")
    notion.pages[page]["last_edited_time"] = notion.edited_now()
    run = imported(connection)
    assert (run.deleted, run.failed) == (1, 0)
    assert {file.name for file in trash_of(alice)} == {"plan.txt", "Plans.md"}
    notion.pages[page]["in_trash"] = True
    assert imported(connection).deleted == 2
    assert not selectors.files_of(alice).exists()


def test_a_page_whose_file_cannot_be_fetched_now_is_read_again(
    notion: NotionServer, connection: ExternalIntegration, monkeypatch: pytest.MonkeyPatch
) -> None:
    notion.add_page("Plans", notion.block("file", notion.file("chart.txt", b"The chart.")))
    with monkeypatch.context() as patch:
        patch.setattr("integrations.sources.notion._FILE_SECONDS", 0.0)
        assert counts(imported(connection)) == {"added": 1, "failed": 1}
    assert counts(imported(connection)) == {"added": 1, "unchanged": 1}
    assert counts(imported(connection)) == {"unchanged": 1}


def test_what_search_leaves_out_is_not_gone(notion: NotionServer, connection: ExternalIntegration, alice: User) -> None:
    page = notion.add_page("Harbours", notion.block("file", notion.file("chart.txt", b"The chart.")))
    imported(connection)
    notion.unlisted.add(page)
    assert counts(imported(connection)) == {}
    assert selectors.files_of(alice).count() == 2
    del notion.pages[page]
    assert counts(imported(connection)) == {"deleted": 2}


def test_lists_go_on_by_cursor(notion: NotionServer, source: NotionSource) -> None:
    notion.page_size = 2
    for number in range(5):
        notion.add_page(f"Page {number}", *(notion.words("paragraph", f"Words {n}.") for n in range(5)))
    items = list(source.items())
    assert [item.name for item in items] == [f"Page {number}.md" for number in range(5)]
    assert all(f"Words {n}." in read(items[0]) for n in range(5))


def test_requests_keep_the_pace_and_wait_as_long_as_they_are_told(notion: NotionServer, waited: list[float]) -> None:
    notion.add_page("Harbours")
    notion.script = [Reply(429, {}, (("Retry-After", "7"),)), Reply(529, {}), Reply(502, {})]
    source = NotionSource(TOKEN, pause=0.34)
    assert only(source).name == "Harbours.md"
    assert waited[0] == 0.0
    assert 6 < waited[1] <= 7
    assert all(0.3 < pause <= 2 for pause in waited[2:])
    notion.script = [Reply(429, {}, (("Retry-After", "3600"),))]
    with pytest.raises(SourceUnavailable):
        list(source.items())


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (Reply(401, {}), SourceKeyRefused),
        (Reply(403, {}), SourceKeyRefused),
        (Reply(400, {}), SourceStrange),
        (Reply(404, {}), SourceStrange),
        (Reply(raw=b"<html>"), SourceStrange),
        (Reply(raw=b"[1]"), SourceStrange),
        (Reply(raw=b"[" * 100_000), SourceStrange),
        (Reply(raw=b"\xff\xfe"), SourceStrange),
    ],
)
def test_what_is_no_list_is_told(notion: NotionServer, source: NotionSource, reply: Reply, error: type) -> None:
    notion.script = [reply]
    with pytest.raises(error):
        list(source.items())


@pytest.mark.parametrize("results", [[], [{"object": "page", "id": "x"}]])
def test_a_list_without_an_end_is_left(notion: NotionServer, source: NotionSource, results: list[Any]) -> None:
    notion.odd["/v1/search"] = {"results": results, "has_more": True, "next_cursor": "again"}
    with pytest.raises(SourceStrange, match="does not end"):
        list(source.items())


def test_what_is_no_page_is_left_out(notion: NotionServer, source: NotionSource) -> None:
    good = notion.pages[notion.add_page("Good")]
    odd: list[Any] = [
        None,
        1,
        "x",
        [],
        {},
        {"object": "page"},
        {"object": "page", "id": "../../users"},
        {"object": "user"},
    ]
    notion.odd["/v1/search"] = {"results": [*odd, good, {**good, "properties": 3, "parent": [], "url": 1}]}
    items = list(source.items())
    assert {item.origin for item in items} == {f"https://www.notion.so/{good['id'].replace('-', '')}"}


def test_blocks_that_hold_one_another_are_read_once(notion: NotionServer, source: NotionSource) -> None:
    first, second = notion.words("toggle", "first"), notion.words("toggle", "second")
    first["has_children"] = second["has_children"] = True
    notion.children[first["id"]], notion.children[second["id"]] = [second], [first, second]
    notion.add_page("Circle", first)
    assert read(only(source)) == "# Circle\n\nfirst\n\nsecond\n"


def test_a_depth_without_a_ground_is_left(notion: NotionServer, source: NotionSource) -> None:
    block = notion.words("toggle", "ground")
    for depth in range(40):
        block = notion.words("toggle", f"depth {depth}", block)
    notion.add_page("Deep", block)
    words = read(only(source))
    assert "depth 39" in words
    assert "ground" not in words


def test_a_document_that_is_too_large_for_memory_is_left(
    notion: NotionServer, source: NotionSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    notion.add_page("Harbours", notion.words("paragraph", "x" * 2_000))
    harbours = notion.add_data_source("Harbours", {"Name": {"id": "title", "type": "title"}})
    notion.add_row(harbours, "North", {"Note": {"id": "n", "type": "rich_text", "rich_text": rich("x" * 2_000)}})
    page, _, table = source.items()
    monkeypatch.setattr("integrations.sources.notion._MOST_ANSWERED", 1_000)
    for item in (page, table):
        with pytest.raises(SourceStrange, match="larger than is taken"):
            read(item)


def test_a_table_has_only_so_many_columns(notion: NotionServer, source: NotionSource) -> None:
    columns = {f"Column {number}": {"id": f"c{number}", "type": "number"} for number in range(200)}
    harbours = notion.add_data_source("Harbours", {**columns, "Name": {"id": "title", "type": "title"}})
    notion.add_row(harbours, "North", {})
    *_, table = source.items()
    head = next(line for line in read(table).splitlines() if line.startswith("|"))
    assert (head.count("|"), head.startswith("| Name | Column 0 |")) == (51, True)


def test_a_page_that_is_gone_meanwhile_is_no_failure(notion: NotionServer, connection: ExternalIntegration) -> None:
    page = notion.add_page("Harbours")
    del notion.children[page]
    run = imported(connection)
    assert (run.state, counts(run)) == ("done", {})


def test_a_file_elsewhere_than_on_the_internet_is_not_fetched(
    notion: NotionServer, connection: ExternalIntegration, settings: Any
) -> None:
    data = notion.file("secret.txt", b"x")
    data["file"]["url"] = "http://169.254.169.254/latest/meta-data/"
    notion.add_page("Trick", notion.block("file", data))
    run = imported(connection)
    assert counts(run) == {"added": 1, "failed": 1}
    (entry,) = [entry for entry in run.shown if entry.action == "failed"]  # type: ignore[attr-defined]  # prefetched
    assert entry.code == "source_strange"


def test_a_redirect_to_a_private_address_is_not_followed(
    notion: NotionServer, source: NotionSource, settings: Any
) -> None:
    notion.add_page("Trick", notion.block("file", notion.file("a.txt", b"x")))
    with only(source).opens() as reading:
        (part,) = reading.parts
    notion.script = [Reply(302, {}, (("Location", "http://127.0.0.1:1/"),))]
    with pytest.raises(SourceStrange), part.opens():
        pass
    notion.script = [Reply(404, {})]
    with pytest.raises(SourceItemGone), part.opens():
        pass


def test_names_are_no_paths_and_have_no_control_characters(notion: NotionServer, source: NotionSource) -> None:
    notion.add_page("../../etc/pass\nwd\x00 \u202e" + "x" * 500)
    name = only(source).name
    assert "/" not in name
    assert "\n" not in name
    assert len(name) < 150
    assert name.endswith(".md")


def test_a_connection_of_the_installations_is_refused(notion: NotionServer, db: None) -> None:
    with pytest.raises(ConnectionInvalid):
        services.connect(None, "notion", "Everybody's", {"token": TOKEN})


@pytest.mark.parametrize("minutes", ["14", "0", "-60", "1e3", "١٥", "99999999999", "often"])
def test_the_pause_between_imports_is_checked(alice: User, minutes: str) -> None:
    with pytest.raises(ConnectionInvalid) as caught:
        services.connect(alice, "notion", "Mine", {"token": TOKEN, "every_minutes": minutes})
    assert set(caught.value.details) == {"every_minutes"}
