"""Segments to vectors: chunking, then embedding. The engines here import no Django and load no model when imported."""
