"""What the pages of webhooks take. Whether something can be sent to an address, `subscribing` says."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict

from files.models import Webhook
from files.webhooks.subscribing import EVENTS

_WORDS = {
    "ready": "A file was read and can be searched",
    "partial": "A file was read in part",
    "failed": "A file could not be read",
    "deleted": "A file was deleted",
}


class WebhookForm(forms.Form):
    """A webhook in the making, or one that is changed."""

    url = forms.CharField(
        label="Address",
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "inputmode": "url", "dir": "ltr"}),
        help_text="https://…, without a name or password in it. One that is not public must be in "
        "OUTBOUND_ALLOWED_PRIVATE.",
    )
    events = forms.MultipleChoiceField(
        label="It is told when",
        choices=[(event, _WORDS[event]) for event in EVENTS],
        initial=EVENTS,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, data: QueryDict | None = None, *, webhook: Webhook | None = None) -> None:
        """Take what was sent, and the webhook that is changed."""
        stored: dict[str, Any] | None = {"url": webhook.url, "events": webhook.events} if webhook else None
        super().__init__(data, initial=stored)
