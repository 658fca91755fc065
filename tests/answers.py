"""What an answer of the API must look like."""

from __future__ import annotations

from typing import Any


def error_of(response: Any, status: int) -> dict[str, Any]:
    """Return the error of a response after checking its one shape."""
    assert response.status_code == status, response.content
    body = response.json()
    assert set(body) == {"error"}
    error: dict[str, Any] = body["error"]
    assert set(error) == {"code", "message", "hint", "details"}
    assert error["code"]
    assert error["message"].endswith(".")
    return error
