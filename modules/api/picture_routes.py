"""Routes below /sdapi/v1 that take pictures: img2img, png-info, interrogate, extra-single-image, extra-batch-images."""
import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from modules.api import img2img, models
from modules.api.answers import SafeJSONResponse
from modules.api.body import json_object
from modules.api.extras import extra_batch_images, extra_single_image, request_schema
from modules.api.interrogate import interrogate
from modules.api.own_queue import viewer_of
from modules.api.png_info import png_info
from modules.runtime import Runtime

Body = Annotated[dict[str, Any], Depends(json_object)]


def add_picture_routes(router: APIRouter, rt: Runtime) -> None:
    """Put them on the router of the API."""
    schema = {"requestBody": {"required": True, "content": {"application/json": {"schema": models.image_request_schema()}}}}

    @router.post("/img2img", responses={200: {"model": models.ImageToImageResponse}}, openapi_extra=schema)
    async def image_to_image(body: Body, request: Request) -> Response:
        """Make pictures from pictures; answers when they are made."""
        return SafeJSONResponse(await img2img.make_pictures(rt, body, viewer_of(request).user))

    @router.post("/png-info", responses={200: {"model": models.PNGInfoResponse}})
    async def info_in_picture(body: Body) -> Response:
        """What a picture file says about how it was made."""
        return SafeJSONResponse(await asyncio.to_thread(png_info, rt, body))

    schema_of_picture = {"requestBody": {"required": True, "content": {"application/json": {"schema": models.INTERROGATE_REQUEST}}}}

    @router.post("/interrogate", responses={200: {"model": models.InterrogateResponse}}, openapi_extra=schema_of_picture)
    async def describe(body: Body, request: Request) -> Response:
        """A picture described in words."""
        return SafeJSONResponse(await interrogate(rt, body, viewer_of(request).user))

    @router.post("/extra-single-image", responses={200: {"model": models.ExtrasSingleImageResponse}},
                 openapi_extra=request_schema("ExtrasSingleImageRequest"))
    async def enlarge(body: Body, request: Request) -> Response:
        """One picture led through the steps of Extras; answers when that is done."""
        return SafeJSONResponse(await extra_single_image(rt, body, viewer_of(request).user))

    @router.post("/extra-batch-images", responses={200: {"model": models.ExtrasBatchImagesResponse}},
                 openapi_extra=request_schema("ExtrasBatchImagesRequest"))
    async def enlarge_all(body: Body, request: Request) -> Response:
        """Several pictures led through the steps of Extras."""
        return SafeJSONResponse(await extra_batch_images(rt, body, viewer_of(request).user))
