"""Learned embeddings under the names of A1111's `textual_inversion`."""
from modules.textual_inversion import textual_inversion as textual_inversion
