"""What beat asks of accounts."""

from __future__ import annotations

from celery import shared_task

from orchestra.accounts import sign_in


@shared_task(name="orchestra.accounts.tasks.forget_sign_ins")
def forget_sign_ins() -> int:
    """Forget tries to sign in that limit nothing any more."""
    return sign_in.forget_old()
