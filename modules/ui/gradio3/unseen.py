"""Rows and columns of extensions that are not seen. gradio takes them out of the page, where page scripts look for what is in them, so
they stay in it with a class that hides them (css/37_extensions.css), which comes and goes with what functions say of `visible`.
"""
from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from modules.ui.gradio3.scope import MARK

KINDS = (gr.Row, gr.Column)
UNSEEN = "extension-unseen"


def kept_in_page(keywords: dict[str, Any]) -> dict[str, Any]:
    """The keywords of a row or column, with the class in place of `visible=False`."""
    if keywords.get("visible") is not False:
        return keywords
    return {**keywords, "visible": True, "elem_classes": [*_listed(keywords.get("elem_classes")), UNSEEN]}


def showing(function: Callable[..., Any], outputs: Any) -> Callable[..., Any]:
    """`function` with what it says of the visibility of rows and columns put into classes; itself where none is among its outputs."""
    blocks = list(outputs) if isinstance(outputs, list | tuple | set) else [outputs]
    if not any(_is_ours(block) for block in blocks) or not inspect.isroutine(function):
        return function

    @functools.wraps(function)
    def answer(*args: Any, **keywords: Any) -> Any:
        return _answer(function(*args, **keywords), blocks)

    @functools.wraps(function)
    def answers(*args: Any, **keywords: Any) -> Iterator[Any]:
        for result in function(*args, **keywords):
            yield _answer(result, blocks)

    @functools.wraps(function)
    async def answer_later(*args: Any, **keywords: Any) -> Any:
        return _answer(await function(*args, **keywords), blocks)

    @functools.wraps(function)
    async def answers_later(*args: Any, **keywords: Any) -> AsyncIterator[Any]:
        async for result in function(*args, **keywords):
            yield _answer(result, blocks)

    if inspect.isasyncgenfunction(function):
        return answers_later
    if inspect.iscoroutinefunction(function):
        return answer_later
    return answers if inspect.isgeneratorfunction(function) else answer


def _is_ours(block: Any) -> bool:
    return isinstance(block, KINDS) and getattr(block, MARK, False)


def _answer(result: Any, blocks: Sequence[Any]) -> Any:
    if isinstance(result, dict) and "__type__" not in result:
        return {block: _shown(value, block) for block, value in result.items()}
    if isinstance(result, list | tuple) and len(result) == len(blocks) > 1:
        return [_shown(value, block) for value, block in zip(result, blocks, strict=True)]
    return _shown(result, blocks[0]) if len(blocks) == 1 else result


def _shown(value: Any, block: Any) -> Any:
    """What a function answers for a block, with the class where it says whether a row or column is seen."""
    if not _is_ours(block):
        return value
    if isinstance(value, KINDS):  # made anew, as a way of saying what changes; its keywords have gone through kept_in_page
        given = {name: argument for name, argument in value._constructor_args[0].items() if name != "render"}
        is_unseen = UNSEEN in _listed(given.get("elem_classes"))
        value = {**given, "__type__": "update", **({"visible": False} if is_unseen else {})}
    if not isinstance(value, dict) or "visible" not in value:
        return value
    classes = [name for name in _listed(value.get("elem_classes", block.elem_classes)) if name != UNSEEN]
    return {**value, "visible": True, "elem_classes": classes if value["visible"] else [*classes, UNSEEN]}


def _listed(classes: Any) -> list[str]:
    return [classes] if isinstance(classes, str) else list(classes or ())
