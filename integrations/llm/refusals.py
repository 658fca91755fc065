"""What a provider means by refusing: a status and an error object to one of our errors.

The provider's own words are not passed on: some of them quote the key or the prompt.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from integrations.llm.base import ModelKeyRefused, ModelQuotaSpent, ModelTooSlow, ModelUnavailable, ModelUnknown
from orchestra.common.outbound.errors import OutboundFailed, OutboundRefused, OutboundTooLong, OutboundTooSlow


class ModelUnreachable(ModelUnavailable):
    """Nobody answers at the model's address, or it may not be asked."""

    code = "model_unreachable"
    default_message = "The model's server cannot be reached."
    default_hint = "Check the address, whether the server runs, and this machine's network."


class ModelRequestRefused(ModelUnavailable):
    """The provider does not take the request as it is."""

    code = "model_request_refused"
    transient = False
    default_message = "The model's provider refuses the request."
    default_hint = "Try another model; this one may read less text, or may not chat."


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a call brought no answer, and what can be done about it.

    `again`: whether the same call may succeed. `after`: seconds that the provider asks to wait. `parameter`: what it
    does not take, where it says so.
    """

    error: ModelUnavailable
    again: bool = False
    after: float | None = None
    parameter: str = ""


_MONEY = {"insufficient_quota", "billing_hard_limit_reached", "insufficient_credits", "budget_exceeded"}
_MODEL = {"model_not_found", "model_not_available", "invalid_model"}
_KEY = {"invalid_api_key", "account_deactivated"}
_PASSING = (408, 429)
_NOT_AS_IT_IS = (400, 413, 415, 422)
_BASE_URL = "The base URL must lead to an API in OpenAI's form, and mostly ends in /v1."


def refusal(status: int, headers: Mapping[str, str], body: bytes) -> Refusal:
    """Return what an answer other than 200 means."""
    error = _error_of(body)
    if (said := _said(status, error)) is not None:
        return Refusal(said)
    if status in _PASSING or status >= 500:
        passing = ModelQuotaSpent() if status == 429 else _answered(status)
        return Refusal(passing, again=True, after=_seconds(headers.get("retry-after", "")))
    if status in _NOT_AS_IT_IS:
        return Refusal(ModelRequestRefused(status=status), parameter=_word(error.get("param")))
    return Refusal(ModelUnreachable(f"There is no model at this address (status {status}).", hint=_BASE_URL))


def _said(status: int, error: Mapping[str, Any]) -> ModelUnavailable | None:
    """Return what a refusal says of key, money or model, or None where it is about something else."""
    code = _word(error.get("code")) or _word(error.get("type"))
    if status in (401, 403) or code in _KEY:
        return ModelKeyRefused()
    if status == 402 or code in _MONEY:
        return ModelQuotaSpent("There is no money left with the model's provider.")
    if code in _MODEL or _about_model(status, error):
        return ModelUnknown()
    return None


def error_inside(error: object) -> ModelUnavailable:
    """Return what an error object in the middle of an answer means."""
    fields = error if isinstance(error, dict) else {}
    code = fields.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    return refusal(status, {}, json.dumps({"error": fields}).encode()).error


def unanswered(exc: OutboundFailed | OutboundRefused) -> Refusal:
    """Return what it means that no answer came at all."""
    if isinstance(exc, OutboundRefused):
        return Refusal(ModelUnreachable("The model's address may not be asked.", hint=exc.hint))
    if isinstance(exc, OutboundTooSlow):
        return Refusal(ModelTooSlow())
    return Refusal(ModelUnreachable(), again=not isinstance(exc, OutboundTooLong))


def strange() -> ModelUnavailable:
    """Return the error for what is no answer."""
    return ModelUnavailable("The model's server answered in a form that is not known.", hint=_BASE_URL)


def _answered(status: int) -> ModelUnavailable:
    return ModelUnavailable(f"The model's provider answered with status {status}.")


def _about_model(status: int, error: Mapping[str, Any]) -> bool:
    """Tell whether a provider without codes complains of the model's name; only that is read of its words."""
    words = error.get("message")
    if status not in (400, 404) or not isinstance(words, str):
        return False
    start = words[:300].lower()
    return "not a valid model" in start or ("model" in start and ("not found" in start or "does not exist" in start))


def _error_of(body: bytes) -> Mapping[str, Any]:
    """Return the error object of a refusal, empty where it has none."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    error = found.get("error") if isinstance(found, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}


def _word(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 60 else ""


def _seconds(text: str) -> float | None:
    """Return a Retry-After in seconds; one that is a date counts as none."""
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
