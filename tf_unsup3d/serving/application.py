"""The paths of the service and what they answer."""

import asyncio
import concurrent.futures
import contextlib
import http
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tf_unsup3d.serving import metrics as metrics_module
from tf_unsup3d.serving.batching import Batcher
from tf_unsup3d.serving.bodies import BodyReader
from tf_unsup3d.serving.host_names import is_local
from tf_unsup3d.serving.json_request import PredictRequest, parse_predict_request
from tf_unsup3d.serving.json_response import Answer
from tf_unsup3d.serving.limits import Limits
from tf_unsup3d.serving.metrics import Metrics
from tf_unsup3d.serving.pictures_and_meshes import (
    MESH_SIGNATURES,
    PICTURE_SIGNATURES,
    glb_of,
    mesh_inputs,
    picture_inputs,
    png_of,
)
from tf_unsup3d.serving.request_error import (
    RequestError,
    bad_request,
    not_found,
    one_line,
    unavailable,
)
from tf_unsup3d.serving.saved_model import SavedModel
from tf_unsup3d.serving.signatures import Signature
from tf_unsup3d.serving.versions import Versions

_LOGGER = logging.getLogger(__name__)

_JSON = "application/json"
# Another thread takes longer to ask than bodies of so many bytes to parse, or pictures
# of so many numbers to compress.
_SMALL_BODY = 16 * 2**10
_SMALL_PICTURE = 64 * 64 * 3
_CODEC_THREADS = 2
_MOST_VERSION_DIGITS = 18

Handler = Callable[[Request, bytes], Awaitable[Response]]
# A path, the HTTP method that it takes, and what answers.
Path = tuple[str, str | None, Handler]


class Service:
    """A model that is served.

    Args:
      name: The name of the model.
      versions: Its versions.
      batcher: Runs it.
      limits: What is taken on.
      metrics: What is counted.
      local_only: Whether requests that call the service by the name of another machine
        are refused, see `host_names.is_local`, and those of pages of other sites.
    """

    def __init__(
        self,
        name: str,
        versions: Versions,
        batcher: Batcher,
        limits: Limits,
        metrics: Metrics,
        *,
        local_only: bool = False,
    ):
        self._name = name
        self._versions = versions
        self._batcher = batcher
        self._limits = limits
        self._metrics = metrics
        self._local_only = local_only
        self._bodies = BodyReader(limits)
        self._codec = concurrent.futures.ThreadPoolExecutor(_CODEC_THREADS, "codec")

    def application(
        self,
        lifespan: Callable[[Starlette], contextlib.AbstractAsyncContextManager],
        more_paths: Sequence[Path] = (),
    ) -> Starlette:
        """Makes the application.

        Args:
          lifespan: Runs while the application does; see Starlette.
          more_paths: Paths that are served beside those of the model.
        """
        model, version = "/v1/models/{name}", "/v1/models/{name}/versions/{version}"
        routes = []
        for path, method, handler in (
            (f"{model}:predict", "POST", self._predict),
            (f"{version}:predict", "POST", self._predict),
            (f"{model}:{{verb}}", None, self._unknown),
            (f"{version}:{{verb}}", None, self._unknown),
            (f"{model}/metadata", "GET", self._metadata),
            (f"{version}/metadata", "GET", self._metadata),
            (model, "GET", self._status),
            (version, "GET", self._status),
            ("/v1/render.png", "GET", self._render_png),
            ("/v1/mesh.glb", "GET", self._mesh_glb),
            ("/healthz", "GET", self._healthz),
            ("/readyz", "GET", self._readyz),
            ("/metrics", "GET", self._metrics_page),
            *more_paths,
            ("/{path:path}", None, self._unknown),
        ):
            routes.append(Route(path, _Endpoint(self, method, handler)))
        application = Starlette(routes=routes, lifespan=lifespan)
        # Of what is no path, such as `*`, or holds a line break.
        application.router.default = _Endpoint(self, None, self._unknown)
        return application

    async def answer(
        self, request: Request, method: str | None, handler: Handler
    ) -> Response:
        """Answers a request, whatever happens.

        Args:
          request: The request.
          method: The HTTP method that the path takes; None for all.
          handler: Makes the answer from the request and its body.

        Returns:
          The answer.
        """
        start = time.monotonic()
        body_is_read = False
        self._metrics.requests_in_flight.inc()
        try:
            async with self._bodies.reading(request) as body:
                body_is_read = True
                start = time.monotonic()
                if self._local_only:
                    _check_sender(request)
                _check_method(request, method)
                async with asyncio.timeout(self._limits.request_seconds):
                    response = await handler(request, body)
        except RequestError as error:
            response = self._refusal(request, error)
        except TimeoutError:
            late = RequestError(
                http.HTTPStatus.GATEWAY_TIMEOUT,
                f"no answer within {self._limits.request_seconds:g} s",
            )
            response = self._refusal(request, late)
        except Exception as error:
            # A mistake in the program ends this request, not the service.
            response = self._refusal(
                request, RequestError(500, f"internal error: {error!r}")
            )
        finally:
            self._metrics.requests_in_flight.dec()
        if not body_is_read:
            response.headers["connection"] = "close"
        route = handler.__name__.strip("_")
        self._metrics.requests.labels(route, response.status_code).inc()
        self._metrics.request_seconds.labels(route).observe(time.monotonic() - start)
        return response

    def _refusal(self, request: Request, error: RequestError) -> Response:
        path = one_line(request.scope["path"])
        if path != "/readyz":
            log = _LOGGER.error if error.status == 500 else _LOGGER.warning
            log("%d %s %s: %s", error.status, request.method, path, error.message)
        response = _json({"error": error.message}, error.status)
        if error.status == http.HTTPStatus.SERVICE_UNAVAILABLE:
            response.headers["retry-after"] = "1"
        return response

    async def _predict(self, request: Request, body: bytes) -> Response:
        with self._versions.using(self._find_version(request)) as model:
            signatures = {
                name: function.signature for name, function in model.functions.items()
            }
            parsed = await self._parse(body, signatures)
            function = model.functions[parsed.signature.name]
            answer = await self._batcher.predict(function, parsed.inputs)
            content = await self._in_thread(answer.to_json, parsed.row_format)
        return Response(content, media_type=_JSON)

    async def _status(self, request: Request, body: bytes) -> Response:
        number = self._find_version(request)
        return self._statuses(number)

    def _statuses(self, number: int | None) -> Response:
        return _json({"model_version_status": self._versions.statuses(number)})

    async def _metadata(self, request: Request, body: bytes) -> Response:
        with self._versions.using(self._find_version(request)) as model:
            current = self._versions.current
            return _json(
                {
                    "model_spec": {
                        "name": self._name,
                        "signature_name": "",
                        "version": str(current.number) if current else "",
                    },
                    "metadata": {"signature_def": {"signature_def": model.metadata}},
                }
            )

    async def _render_png(self, request: Request, body: bytes) -> Response:
        with self._versions.using() as model:
            inputs = picture_inputs(request.query_params)
            answer = await self._call(model, PICTURE_SIGNATURES, inputs)
            picture = answer.array("picture")[0]
            if picture.size <= _SMALL_PICTURE:
                content = png_of(picture)
            else:
                content = await self._in_thread(png_of, picture)
        return Response(content, media_type="image/png")

    async def _mesh_glb(self, request: Request, body: bytes) -> Response:
        with self._versions.using() as model:
            inputs = mesh_inputs(request.query_params)
            answer = await self._call(model, MESH_SIGNATURES, inputs)
            content = await self._in_thread(glb_of, answer)
        return Response(content, media_type="model/gltf-binary")

    async def _healthz(self, request: Request, body: bytes) -> Response:
        if not self._batcher.alive:
            raise unavailable("the thread of the model has ended")
        if self._batcher.stuck:
            raise unavailable(
                "the model has been computing for longer than "
                f"{self._limits.request_seconds:g} s"
            )
        return _json({"status": "ok"})

    async def _readyz(self, request: Request, body: bytes) -> Response:
        with self._versions.using():
            return _json({"status": "ready"})

    async def _metrics_page(self, request: Request, body: bytes) -> Response:
        return Response(
            self._metrics.exposition(), media_type=metrics_module.CONTENT_TYPE
        )

    async def _unknown(self, request: Request, body: bytes) -> Response:
        path = request.scope["path"]
        parameters = request.path_params
        if "verb" in parameters:
            name = f"{parameters['name']}:{parameters['verb']}"
            if name == self._name and "version" not in parameters:
                _check_method(request, "GET")
                return self._statuses(None)
            raise bad_request(
                f"Malformed request: {request.method} {path}; only :predict is served"
            )
        if path.startswith("/v1/"):
            raise bad_request(f"Malformed request: {request.method} {path}")
        raise not_found(f"there is no {path}")

    def _find_version(self, request: Request) -> int | None:
        """The version that the path names, of the model that it must name."""
        name = request.path_params["name"]
        if name != self._name:
            raise not_found(f"Could not find any versions of model {name}")
        version = request.path_params.get("version")
        if version is None:
            return None
        if not (version.isascii() and version.isdecimal()):
            raise bad_request(f"Malformed request: version {version!r} is no number")
        if len(version) > _MOST_VERSION_DIGITS:
            raise bad_request(f"Failed to convert version: {version} to numeric.")
        return int(version)

    async def _parse(
        self, body: bytes, signatures: Mapping[str, Signature]
    ) -> PredictRequest:
        if len(body) <= _SMALL_BODY:
            return parse_predict_request(body, signatures)
        return await self._in_thread(parse_predict_request, body, signatures)

    async def _call(
        self,
        model: SavedModel,
        names: tuple[str, ...],
        inputs: Mapping[str, np.ndarray],
    ) -> Answer:
        """Calls signatures of this project's models, one after the other."""
        function = model.chain(names)
        if function is None or function.signature.inputs.keys() != inputs.keys():
            raise not_found(
                f"the model lacks the signatures {' and '.join(names)} of this "
                "project's models"
            )
        return await self._batcher.predict(function, inputs)

    async def _in_thread(self, function: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._codec, function, *arguments)


class _Endpoint:
    """The ASGI application of one path."""

    def __init__(self, service: Service, method: str | None, handler: Handler):
        self._service = service
        self._method = method
        self._handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        response = await self._service.answer(request, self._method, self._handler)
        await response(scope, receive, send)


def _check_sender(request: Request) -> None:
    """Refuses what pages of other sites ask of a service for its own machine."""
    host = request.headers.get("host")
    if host is not None and not is_local(host):
        raise RequestError(
            http.HTTPStatus.FORBIDDEN,
            f"Host is {host}, and this service is for its own machine: call it "
            "localhost",
        )
    # A browser says so. Such a page cannot read the answer, but keep the model busy.
    is_foreign = request.headers.get("sec-fetch-site") == "cross-site"
    if is_foreign and request.headers.get("sec-fetch-mode") != "navigate":
        raise RequestError(
            http.HTTPStatus.FORBIDDEN, "this service does not answer pages of others"
        )


def _check_method(request: Request, method: str | None) -> None:
    allowed = {"GET": ("GET", "HEAD"), "POST": ("POST",)}
    if method and request.method not in allowed[method]:
        # Not 405, because TensorFlow Serving answers so.
        raise bad_request(
            f"Malformed request: {request.method} {request.scope['path']}; use {method}"
        )


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value, indent=1), status, media_type=_JSON)
