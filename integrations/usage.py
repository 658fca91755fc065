"""What each user's calls of models take in a month, and the budget that the installation gives for it.

A call first holds what it may take at most, then settles what it took: so calls at the same time cannot spend the same
rest of a budget. One short transaction each, in turn for each user.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import DateField, F, Sum
from django.db.models.functions import Greatest, Now, TruncMonth

from integrations.llm.answers import estimated_tokens
from integrations.llm.base import ModelQuotaSpent, Prompt, Usage
from integrations.models import ModelUsage
from orchestra.accounts.models import User
from orchestra.common.identifiers import new_id

_COUNT_FOR_INSTALLATION = """
INSERT INTO integrations_modelusage
    (id, user_id, month, model, own, calls, input_tokens, output_tokens, cost, held_tokens, held_cost)
VALUES (%s, NULL, date_trunc('month', statement_timestamp() AT TIME ZONE %s), %s, false, 1, %s, 0, 0, 0, 0)
ON CONFLICT (month, model) WHERE user_id IS NULL DO UPDATE SET
    calls = integrations_modelusage.calls + 1,
    input_tokens = integrations_modelusage.input_tokens + excluded.input_tokens
"""
_LONGEST_NAME = 200
_MILLION = 1_000_000
_SPENT = "The budget for language models is used up for this month."
_HINT = "It begins anew next month; an administrator can raise it. A connection of your own is outside it."


@dataclass(frozen=True, slots=True)
class Month:
    """What a user's calls of models took this month, by model, and what the installation's budget has of it.

    `tokens` and `cost` are what counts against the budget; a limit of 0 is none. `own` calls are outside it.
    """

    rows: tuple[ModelUsage, ...]
    tokens: int
    cost: Decimal
    most_tokens: int
    most_cost: Decimal


@dataclass(frozen=True, slots=True)
class Held:
    """What is held for a call: in which row, and how much."""

    row: UUID
    tokens: int
    cost: Decimal


def hold(user_id: UUID, model: str, prompt: Prompt, *, own: bool) -> Held:
    """Count a call, and hold what it may take. Raises ModelQuotaSpent where the budget has no room for it."""
    read = estimated_tokens(prompt)
    tokens, cost = read + prompt.most_tokens, price(read, prompt.most_tokens)
    with transaction.atomic():
        month = (
            User.objects.select_for_update(no_key=True)  # takes turns
            .annotate(month=TruncMonth(Now(), output_field=DateField()))
            .values_list("month", flat=True)
            .get(pk=user_id)
        )
        if not own:
            _check_budget(user_id, month, tokens, cost)
        row, _ = ModelUsage.objects.get_or_create(user_id=user_id, month=month, model=model[:_LONGEST_NAME], own=own)
        ModelUsage.objects.filter(pk=row.pk).update(
            calls=F("calls") + 1, held_tokens=F("held_tokens") + tokens, held_cost=F("held_cost") + cost
        )
    return Held(row.pk, tokens, cost)


def settle(held: Held, usage: Usage) -> None:
    """Replace what was held by what the call took. A row that is gone went with its user."""
    took = usage.cost if usage.cost is not None else price(usage.input_tokens, usage.output_tokens)
    ModelUsage.objects.filter(pk=held.row).update(
        input_tokens=F("input_tokens") + usage.input_tokens,
        output_tokens=F("output_tokens") + usage.output_tokens,
        cost=F("cost") + took,
        held_tokens=Greatest(F("held_tokens") - held.tokens, 0),
        held_cost=Greatest(F("held_cost") - held.cost, Decimal(0)),
    )


def count_for_installation(model: str, tokens: int) -> None:
    """Count a call that is made for nobody alone, such as the embedding of passages; after the caller's transaction.

    In the transaction, whose work may take long, everybody else's calls would wait for its row. Where it is rolled back
    the call is not counted.
    """
    values = (new_id(), settings.TIME_ZONE, model[:_LONGEST_NAME], tokens)

    def count() -> None:
        with connection.cursor() as cursor:
            cursor.execute(_COUNT_FOR_INSTALLATION, values)

    transaction.on_commit(count)


def this_month(user: User) -> Month:
    """Return what the user's calls took in the month that the database's clock shows."""
    now = TruncMonth(Now(), output_field=DateField())
    rows = tuple(ModelUsage.objects.filter(user=user, month=now))
    within = [row for row in rows if not row.own]
    return Month(
        rows,
        sum(row.input_tokens + row.output_tokens for row in within),
        sum((row.cost for row in within), Decimal(0)),
        settings.LLM_MONTHLY_TOKENS,
        Decimal(str(settings.LLM_MONTHLY_BUDGET_USD)),
    )


def price(read: int, written: int) -> Decimal:
    """Return the US dollars for tokens by the settings' prices; 0 where these are not set."""
    dollars = Decimal(str(settings.LLM_INPUT_PRICE)) * read + Decimal(str(settings.LLM_OUTPUT_PRICE)) * written
    return dollars / _MILLION


def _check_budget(user_id: UUID, month: date, tokens: int, cost: Decimal) -> None:
    spent = ModelUsage.objects.filter(user_id=user_id, month=month, own=False).aggregate(
        tokens=Sum(F("input_tokens") + F("output_tokens") + F("held_tokens"), default=0),
        cost=Sum(F("cost") + F("held_cost"), default=Decimal(0)),
    )
    most_tokens, most_cost = settings.LLM_MONTHLY_TOKENS, Decimal(str(settings.LLM_MONTHLY_BUDGET_USD))
    over_tokens = most_tokens and spent["tokens"] + tokens > most_tokens
    # A provider whose price is told only afterwards holds nothing: then what is spent already decides.
    over_cost = most_cost and (spent["cost"] + cost > most_cost or spent["cost"] >= most_cost)
    if over_tokens or over_cost:
        raise ModelQuotaSpent(_SPENT, hint=_HINT)
