"""Hits to an answer with citations: sentences of the passages themselves, or a model's, each checked."""
