"""JSON, tables, settings, logs: streams, columns, lines."""
