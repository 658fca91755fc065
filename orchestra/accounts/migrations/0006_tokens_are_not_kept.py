"""Refresh tokens of before are not kept either: what revokes and checks them compares ids alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [
        ("accounts", "0005_idempotent_answers"),
        ("token_blacklist", "0013_alter_blacklistedtoken_options_and_more"),
    ]
    operations: ClassVar = [
        migrations.RunSQL("UPDATE token_blacklist_outstandingtoken SET token = ''", migrations.RunSQL.noop)
    ]
