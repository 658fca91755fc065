"""What beat asks of accounts."""

from __future__ import annotations

from celery import shared_task

from orchestra.accounts import idempotency, sign_in


@shared_task(name="orchestra.accounts.tasks.forget_sign_ins")
def forget_sign_ins() -> int:
    """Forget tries to sign in that limit nothing any more."""
    return sign_in.forget_old()


@shared_task(name="orchestra.accounts.tasks.forget_idempotent_answers")
def forget_idempotent_answers() -> int:
    """Forget answers that nobody may ask for again."""
    return idempotency.forget_old()
