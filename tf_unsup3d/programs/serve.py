"""Serves a model over HTTP, in the protocol of TensorFlow Serving.

unsup3d-serve --model=pretrained:faces64
curl 'http://127.0.0.1:8501/v1/render.png?seed=3&yaw_degrees=30' --output face.png
"""

import os

from absl import flags

from tf_unsup3d.errors import UserError
from tf_unsup3d.programs import cli

_MODEL = flags.DEFINE_string(
    "model",
    None,
    "What to serve: a folder with the versions of a SavedModel, such as 1/ and 2/; the "
    "folder of a run or of a published generator; or pretrained:NAME.",
    required=True,
)
_NAME = flags.DEFINE_string(
    "name",
    None,
    "Name of the model in the paths; by default that of its folder, or NAME "
    "for pretrained:NAME.",
)
_HOST = flags.DEFINE_string(
    "host",
    "127.0.0.1",
    "Address to listen on. The default is reached from this machine only; there is no "
    "encryption and no password.",
)
_PORT = flags.DEFINE_integer(
    "port",
    8501,
    "Port to listen on; 0 takes any that is free and prints it. The default is that of "
    "TensorFlow Serving.",
    lower_bound=0,
    upper_bound=65535,
)
_BATCH_SIZE = flags.DEFINE_integer(
    "batch_size",
    16,
    "Most rows that the model computes at once, and most rows of a request.",
    lower_bound=1,
    upper_bound=1024,
)
_QUEUE_SIZE = flags.DEFINE_integer(
    "queue_size",
    256,
    "Most rows that wait for the model, at least --batch_size; more are refused with "
    "status 503.",
    lower_bound=1,
)
_BODY_MEGABYTES = flags.DEFINE_integer(
    "body_megabytes",
    16,
    "Largest body of a request, in MiB.",
    lower_bound=1,
    upper_bound=1024,
)
_PICTURE_SIZE = flags.DEFINE_integer(
    "picture_size",
    512,
    "The pictures that a request of render_mesh asks for have at most the pixels of "
    "one of this height and width.",
    lower_bound=1,
    upper_bound=8192,
)
_REQUEST_SECONDS = flags.DEFINE_float(
    "request_seconds",
    30.0,
    "Longest time for an answer; later ones are given up with status 504.",
    lower_bound=0.001,
)
_RECEIVE_SECONDS = flags.DEFINE_float(
    "receive_seconds",
    10.0,
    "Longest time for a client to send the head of a request, to send its body, and "
    "to go on taking an answer.",
    lower_bound=0.001,
)


def main(argv: list[str]) -> None:
    """Serves the model."""
    del argv
    cli.check_serving_packages()
    from tf_unsup3d.serving.limits import Limits
    from tf_unsup3d.serving.model_source import served_folder, served_name
    from tf_unsup3d.serving.server import log_to_stderr, serve

    if _QUEUE_SIZE.value < _BATCH_SIZE.value:
        raise UserError("--queue_size must be at least --batch_size")
    if _NAME.value is not None and (not _NAME.value or "/" in _NAME.value):
        raise UserError(f"--name={_NAME.value}: must be a name without slashes")
    limits = Limits(
        batch_size=_BATCH_SIZE.value,
        queue_size=_QUEUE_SIZE.value,
        body_bytes=_BODY_MEGABYTES.value * 2**20,
        picture_size=_PICTURE_SIZE.value,
        request_seconds=_REQUEST_SECONDS.value,
        receive_seconds=_RECEIVE_SECONDS.value,
    )
    log_to_stderr()
    with cli.stopped_by_signals(), served_folder(_MODEL.value) as folder:
        has_ended = serve(
            folder,
            _NAME.value or served_name(_MODEL.value),
            host=_HOST.value,
            port=_PORT.value,
            limits=limits,
        )
    # See `serve`.
    if not has_ended:
        os._exit(0)


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
