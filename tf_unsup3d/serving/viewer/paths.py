"""The paths of the viewer, beside those of the service."""

import asyncio
import concurrent.futures
import http
import importlib.resources
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response

from tf_unsup3d.errors import UserError
from tf_unsup3d.serving.application import Path
from tf_unsup3d.serving.query import ANGLES, check_names, read_number
from tf_unsup3d.serving.request_error import (
    RequestError,
    bad_request,
    not_found,
    unavailable,
)
from tf_unsup3d.serving.viewer.views import KINDS, Viewpoint, Views

_ASSETS = importlib.resources.files("tf_unsup3d.serving") / "viewer_assets"
_PAGE = "index.html"
_MEDIA_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}
# The page loads nothing from elsewhere, and runs no script but its own.
_HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self'; img-src 'self' blob: data:; connect-src 'self' blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
_VIDEO_TYPES = {".gif": "image/gif", ".mp4": "video/mp4"}
# One draws pictures while another fills a texture. More would wait for processors.
_THREADS = 2
# The page has one request of a kind under way; several pages may be open.
_MOST_REQUESTS = 32
# Of elements of styles. Those of faces are about 1.
_LARGEST_ELEMENT = 1000.0


class ViewerPaths:
    """Serves the page and what it shows.

    Args:
      name: The name of the model in the paths of the service.
      views: Draws the objects.
    """

    def __init__(self, name: str, views: Views):
        self._views = views
        self._description = json.dumps({"name": name, **views.describe()}).encode()
        self._assets = {
            file.name: file.read_bytes()
            for file in _ASSETS.iterdir()
            if file.name.rpartition(".")[2] in _MEDIA_TYPES
        }
        self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, "viewer")
        self._requests = 0

    def paths(self) -> list[Path]:
        """The paths, for `serve`."""
        return [
            ("/", "GET", self._viewer_page),
            ("/viewer/model.json", "GET", self._viewer_model),
            ("/viewer/picture.png", "GET", self._viewer_picture),
            ("/viewer/mesh.glb", "GET", self._viewer_mesh),
            ("/viewer/turntable{suffix}", "GET", self._viewer_video),
            ("/viewer/{asset}", "GET", self._viewer_asset),
        ]

    async def _viewer_page(self, request: Request, body: bytes) -> Response:
        return self._asset(_PAGE)

    async def _viewer_asset(self, request: Request, body: bytes) -> Response:
        return self._asset(request.path_params["asset"])

    def _asset(self, name: str) -> Response:
        if name not in self._assets:
            raise not_found(f"there is no /viewer/{name}")
        media_type = _MEDIA_TYPES[name.rpartition(".")[2]]
        return Response(self._assets[name], headers=_HEADERS, media_type=media_type)

    async def _viewer_model(self, request: Request, body: bytes) -> Response:
        # A page that starts anew must not find the former model.
        headers = {"cache-control": "no-cache"}
        return Response(
            self._description, headers=headers, media_type="application/json"
        )

    async def _viewer_picture(self, request: Request, body: bytes) -> Response:
        query = self._query(request, "kind", *ANGLES)
        kind = query.get("kind", KINDS[0])
        if kind not in KINDS:
            raise bad_request(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
        viewpoint = Viewpoint(**{name: read_number(query, name) for name in ANGLES})
        content = await self._call(
            self._views.picture, self._style(query), kind, viewpoint
        )
        return Response(content, media_type="image/png")

    async def _viewer_mesh(self, request: Request, body: bytes) -> Response:
        style = self._style(self._query(request))
        content = await self._call(self._views.mesh, style)
        return Response(content, media_type="model/gltf-binary")

    async def _viewer_video(self, request: Request, body: bytes) -> Response:
        suffix = request.path_params["suffix"]
        if suffix not in self._views.video_suffixes:
            known = " and ".join(self._views.video_suffixes)
            raise not_found(f"videos end in {known}, not in {suffix!r}")
        query = self._query(request, "pitch_degrees")
        pitch = read_number(query, "pitch_degrees")
        content = await self._call(self._views.video, self._style(query), suffix, pitch)
        return Response(content, media_type=_VIDEO_TYPES[suffix])

    def _query(self, request: Request, *names: str) -> QueryParams:
        """The query, which may hold a style, the checksum of its model, and `names`."""
        query = request.query_params
        # First, because the style of another model may break all other rules.
        if query.get("checksum", self._views.checksum) != self._views.checksum:
            raise RequestError(
                http.HTTPStatus.PRECONDITION_FAILED, "the model is another one by now"
            )
        check_names(query, ("checksum", "style", *names))
        return query

    def _style(self, query: QueryParams) -> np.ndarray:
        """Reads `style`, numbers with commas between them."""
        parts = query.get("style", "").split(",")
        size = self._views.style_size
        if len(parts) != size:
            raise bad_request(
                f"style must be {size} numbers with commas between them, got "
                f"{len(parts)}"
            )
        try:
            values = [float(part) for part in parts]
        except ValueError:
            values = [math.nan]
        if not all(abs(value) <= _LARGEST_ELEMENT for value in values):
            raise bad_request(
                f"style must be numbers from -{_LARGEST_ELEMENT:g} to "
                f"{_LARGEST_ELEMENT:g}"
            )
        return np.array(values, np.float32)

    async def _call(self, function: Callable[..., bytes], *arguments: Any) -> bytes:
        """Calls a function in a thread, unless too many wait."""
        if self._requests >= _MOST_REQUESTS:
            raise unavailable(f"{self._requests} requests wait for the viewer")
        self._requests += 1
        future = self._threads.submit(function, *arguments)
        loop = asyncio.get_running_loop()
        # Counted until it has ended, even if nobody waits for it any more.
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._done))
        try:
            return await asyncio.wrap_future(future)
        except UserError as error:
            raise RequestError(500, str(error)) from error

    def _done(self) -> None:
        self._requests -= 1
