"""Backups of database and bytes, and the way back.

`creating` writes one, `verifying` reads it against its digests, `restoring` brings it back. It stands above all
applications and knows their tables from Django's registry.
"""
