"""reStructuredText, AsciiDoc, Org and wiki texts: the readers that go line by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from files.extraction.document import SegmentKind
from tests.files.extraction.contract import ExtractorContract, facts, read, segments, text_of
from tests.files.extraction.samples import write

RST = """=====
Tides
=====

:Author: A. Writer
:Date: 2024-01-02

A paragraph with `a link <https://e.org>`_ and :ref:`a role`, see `Data`_.
Its second line::

    code = 1

    more = 2

Data
----

.. note:: Mind the gap.
   It is wide.

.. code-block:: python
   :linenos:

   def f():
       pass

.. a comment
   that goes on

.. include:: other.rst
.. image:: tide.png
   :alt: High water

+------+------+
| Name | Size |
+======+======+
| A    | 3    |
| boat |      |
+------+------+

====  =====
Name  Value
====  =====
x     1
y     2
====  =====

.. [1] A footnote.
.. _target:

Deeper
~~~~~~
Last.
"""


class TestRst(ExtractorContract):
    media_type = "text/x-rst"
    ending = "rst"
    sample = RST.encode()
    says = "A paragraph with [a link](https://e.org) and `a role`, see Data.\nIts second line:"

    def test_headings_give_the_path(self, path: Path) -> None:
        found = segments(read(path, self.media_type))
        assert [s.text for s in found if s.kind is SegmentKind.HEADING] == ["# Tides", "## Data", "### Deeper"]
        assert (found[-1].text, found[-1].place.headings) == ("Last.", ("Tides", "Data", "Deeper"))

    def test_code_and_tables_are_blocks_of_their_own(self, path: Path) -> None:
        found = segments(read(path, self.media_type))
        assert [s.text for s in found if s.kind is SegmentKind.CODE] == [
            "    code = 1\n\n    more = 2",
            "   def f():\n       pass",
        ]
        assert [s.text for s in found if s.kind is SegmentKind.TABLE] == [
            "| Name | Size |\n| --- | --- |\n| A boat | 3 |",
            "| Name | Value |\n| --- | --- |\n| x | 1 |\n| y | 2 |",
        ]

    def test_fields_are_facts_and_comments_go(self, path: Path) -> None:
        pieces = read(path, self.media_type)
        found = facts(pieces)
        assert (found["title"], found["author"], found["created"]) == ("Tides", "A. Writer", "2024-01-02")
        assert found["includes"] == ["other.rst", "tide.png"]
        text = text_of(pieces)
        assert "comment" not in text
        assert "linenos" not in text
        for said in ("Mind the gap.", "It is wide.", "High water", "[1] A footnote."):
            assert said in text


ADOC = """= Tides of the sea
A. Writer <a@example.org>
v1.2, 2024-01-02
:keywords: sea, moon
:toc:

A paragraph with https://e.org[a link] and <<data,the data>>.

// unseen
== Data
[source,python]
----
def f():
    pass  // kept
----

.Sizes of boats
[options="header"]
|===
|Name |Size
|A boat |3
|B
|4
|===

////
unseen too
////
NOTE: Mind the gap.

====
An example.
====

include::other.adoc[]
image::tide.png[High water]

Old heading
-----------
Last.
"""


class TestAsciidoc(ExtractorContract):
    media_type = "text/x-asciidoc"
    ending = "adoc"
    sample = ADOC.encode()
    says = "A paragraph with [a link](https://e.org) and the data."

    def test_headings_give_the_path(self, path: Path) -> None:
        found = segments(read(path, self.media_type))
        headings = [s.text for s in found if s.kind is SegmentKind.HEADING]
        assert headings == ["# Tides of the sea", "## Data", "## Old heading"]
        assert found[-1].place.headings == ("Tides of the sea", "Old heading")

    def test_blocks_and_facts(self, path: Path) -> None:
        pieces = read(path, self.media_type)
        found = {s.kind: s.text for s in segments(pieces)}
        assert found[SegmentKind.CODE] == "def f():\n    pass  // kept"
        assert found[SegmentKind.TABLE] == "| Name | Size |\n| --- | --- |\n| A boat | 3 |\n| B | 4 |"
        assert facts(pieces) == {
            "encoding": "utf-8", "title": "Tides of the sea", "author": "A. Writer", "created": "2024-01-02",
            "keywords": "sea, moon", "includes": ["other.adoc", "tide.png"], "line_count": len(ADOC.splitlines()),
        }  # fmt: skip
        assert "unseen" not in text_of(pieces)
        assert "An example." in text_of(pieces)


ORG = """#+TITLE: Tides
#+AUTHOR: A. Writer
* TODO Measure :work:sea:
:PROPERTIES:
:EFFORT: 2h
:END:
Words with [[https://e.org][a link]].
# unseen
** Data
| Name | Size |
|------+------|
| A    |    3 |
#+BEGIN_SRC python
print(1)  # kept
#+END_SRC
#+begin_quote
Said.
#+end_quote
"""


class TestOrg(ExtractorContract):
    media_type = "text/x-org"
    ending = "org"
    sample = ORG.encode()
    says = "Words with [a link](https://e.org)."

    def test_headings_blocks_and_facts(self, path: Path) -> None:
        pieces = read(path, self.media_type)
        found = {s.kind: s for s in segments(pieces)}
        assert found[SegmentKind.TABLE].text == "| Name | Size |\n| --- | --- |\n| A | 3 |"
        assert found[SegmentKind.CODE].text == "print(1)  # kept"
        assert found[SegmentKind.CODE].place.headings == ("TODO Measure :work:sea:", "Data")
        known = facts(pieces)
        assert (known["title"], known["author"], known["keywords"]) == ("Tides", "A. Writer", "work, sea")
        assert known["task_count"] == 1
        assert "EFFORT: 2h" in text_of(pieces)
        assert "unseen" not in text_of(pieces)


class TestWiki(ExtractorContract):
    media_type = "text/x-mediawiki"
    ending = "wiki"
    sample = b"== Tides ==\nWords with [[Page|a link]].\n\n=== Data ===\nLast.\n"
    says = "Words with a link."

    def test_headings_give_the_path(self, path: Path) -> None:
        assert segments(read(path, self.media_type))[-1].place.headings == ("Tides", "Data")


@pytest.mark.parametrize(
    "media_type", ["text/x-rst", "text/x-asciidoc", "text/x-org", "text/x-mediawiki", "text/markdown"]
)
@pytest.mark.parametrize(
    "bait",
    [
        "=" * 300_000,
        "=\n" * 50_000,
        ".. a::\n" * 20_000,
        "|" * 200_000,
        "[" * 100_000,
        "`a <" * 40_000,
        ":a:\n" * 30_000,
    ],
)
def test_bait_costs_linear_time(tmp_path: Path, media_type: str, bait: str) -> None:
    assert "the end" in text_of(read(write(tmp_path / "a", bait + "\n\n\nthe end\n"), media_type))
