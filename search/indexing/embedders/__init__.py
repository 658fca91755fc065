"""The engines behind `search.indexing.embedding.Embedder`, one per module, none importing another."""
