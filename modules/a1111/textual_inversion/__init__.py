"""Learned embeddings under the names of A1111's `textual_inversion`."""
