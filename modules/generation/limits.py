"""What one server takes on at most: limits of its owner, checked before a job exists."""
from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from modules.errors import RequestError
from modules.generation.hires import hires_size


@dataclass(frozen=True, kw_only=True)
class Limit:
    """One limit. `flag`: the argument that sets it; `field`: the field that an answer names; `amount`: what a request asks for."""

    flag: str
    field: str
    what: str
    amount: Callable[[Mapping[str, Any]], int]


def pixels(request: Mapping[str, Any]) -> int:
    """Pixels of the largest picture of a request, that of the second pass included."""
    width, height = request.get("width") or 0, request.get("height") or 0
    if not request.get("enable_hr"):
        return width * height
    size = hires_size(width, height, scale=request["hr_scale"], resize_x=request["hr_resize_x"], resize_y=request["hr_resize_y"])
    return max(width * height, size.upscale_width * size.upscale_height)


def steps(request: Mapping[str, Any]) -> int:
    """Steps of a pass, the longer one of two."""
    return max(request.get("steps") or 0, (request.get("hr_second_pass_steps") or 0) if request.get("enable_hr") else 0)


def pictures(request: Mapping[str, Any]) -> int:
    """Pictures of a job: of all batches, for each file of a batch over files."""
    files = len((request.get("batch") or {}).get("files", ())) or 1
    return (request.get("batch_size") or 0) * (request.get("n_iter") or 0) * files


LIMITS: tuple[Limit, ...] = (
    Limit(flag="limit_pixels", field="width", what="pixels in a picture", amount=pixels),
    Limit(flag="limit_steps", field="steps", what="steps", amount=steps),
    Limit(flag="limit_batch", field="batch_size", what="pictures in a batch", amount=lambda request: request.get("batch_size") or 0),
    Limit(flag="limit_pictures", field="n_iter", what="pictures in a job", amount=pictures),
)


def admission(args: argparse.Namespace) -> Callable[[str, Mapping[str, Any]], None]:
    """The check of the queue for these arguments: (kind, request) -> None. It raises RequestError naming field and limit."""
    def check(kind: str, request: Mapping[str, Any]) -> None:
        for limit in LIMITS:
            most = getattr(args, limit.flag, None)
            if most and (amount := limit.amount(request)) > most:
                raise RequestError(limit.field, f"The job asks for {amount:,} {limit.what}; this server's limit is {most:,}.")
    return check
