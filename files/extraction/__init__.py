"""Bytes to segments. Pure Python: nothing here imports Django."""
