"""Easel's modules. Names that community extensions import and that live elsewhere resolve to the facades in a1111/."""
from pathlib import Path

# A file of this folder wins over a facade of the same name.
__path__.append(str(Path(__file__).parent / "a1111"))
