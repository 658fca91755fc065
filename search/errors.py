"""What can go wrong with a search."""

from __future__ import annotations

from orchestra.common.errors import OrchestraError


class EmptyQuery(OrchestraError):
    """There is nothing to search for."""

    code = "query_empty"
    status = 400
    default_message = "There is nothing to search for."
    default_hint = "Write a question or some words."


class UnknownMode(OrchestraError):
    """The mode does not exist on this server."""

    code = "mode_unknown"
    status = 400
    default_message = "This server has no such search mode."
