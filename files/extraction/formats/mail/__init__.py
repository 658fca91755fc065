"""Mails, messages, calendars, contacts: headers, parts, properties."""
