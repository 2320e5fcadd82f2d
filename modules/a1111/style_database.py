"""The styles of the program in the form that A1111's scripts know."""
from collections.abc import Sequence
from typing import NamedTuple

from modules.styles import StyleTable


class PromptStyle(NamedTuple):
    """A style by name; `path` is its file."""

    name: str
    prompt: str | None
    negative_prompt: str | None
    path: str | None = None


class StyleDatabase:
    """Reads and writes through the program's own table."""

    def __init__(self, table: StyleTable):
        self._table = table

    @property
    def styles(self) -> dict[str, PromptStyle]:
        """By name."""
        return {style.name: PromptStyle(style.name, style.prompt, style.negative_prompt, str(style.path or ""))
                for style in self._table.styles.values()}

    def reload(self) -> None:
        """Read the files again."""
        self._table.reload()

    def get_style_prompts(self, styles: Sequence[str]) -> list[str]:
        """The prompts of these styles."""
        return [self.styles[name].prompt or "" if name in self.styles else "" for name in styles]

    def get_negative_style_prompts(self, styles: Sequence[str]) -> list[str]:
        """The negative prompts of these styles."""
        return [self.styles[name].negative_prompt or "" if name in self.styles else "" for name in styles]

    def apply_styles_to_prompt(self, prompt: str, styles: Sequence[str]) -> str:
        """The prompt with styles."""
        return self._table.apply_to_prompt(prompt, styles)

    def apply_negative_styles_to_prompt(self, prompt: str, styles: Sequence[str]) -> str:
        """The negative prompt with styles."""
        return self._table.apply_to_negative_prompt(prompt, styles)

    def extract_styles_from_prompt(self, prompt: str, negative_prompt: str) -> tuple[list[str], str, str]:
        """Styles found in the prompts, and the prompts without them."""
        return self._table.recognise(prompt, negative_prompt)


def of(table: StyleTable) -> StyleDatabase:
    """The table as scripts know it."""
    return StyleDatabase(table)
