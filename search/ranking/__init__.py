"""Scores to an order, and an order to what a person reads. Pure Python: nothing here imports Django."""
