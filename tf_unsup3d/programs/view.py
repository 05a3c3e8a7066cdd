"""Shows a trained model on a page, in a browser on this machine.

unsup3d-view --model_dir=pretrained:faces64

The page is part of the service of unsup3d-serve, which answers on the same port.
"""

import contextlib
import os
import threading
import webbrowser

from absl import flags

from tf_unsup3d.programs import cli

_MODEL_DIR = flags.DEFINE_string(
    "model_dir",
    None,
    "Trained model: the folder of a run, of a published generator or of a SavedModel "
    "that unsup3d-export wrote, a checkpoint of a run, or pretrained:NAME.",
    required=True,
)
_PORT = flags.DEFINE_integer(
    "port",
    8502,
    "Port to listen on, on the loopback interface; 0 takes any that is free. The "
    "default is one more than that of unsup3d-serve.",
    lower_bound=0,
    upper_bound=65535,
)
_OPEN = flags.DEFINE_bool(
    "open", False, "Whether to open the page in the default browser."
)

_HOST = "127.0.0.1"


def main(argv: list[str]) -> None:
    """Serves the page until it is interrupted."""
    del argv
    cli.check_serving_packages()
    from tf_unsup3d.serving.limits import Limits
    from tf_unsup3d.serving.model_source import (
        exported_folder,
        load_to_draw,
        served_name,
    )
    from tf_unsup3d.serving.server import log_to_stderr, serve
    from tf_unsup3d.serving.viewer.paths import ViewerPaths
    from tf_unsup3d.serving.viewer.views import Views

    def show(url: str) -> None:
        page = f"{url}/"
        print(f"The page is at {page} (Ctrl-C ends)", flush=True)
        if _OPEN.value:
            # Browsers of a terminal return when they are closed, and the page is served
            # only after this.
            threading.Thread(target=webbrowser.open, args=[page], daemon=True).start()

    log_to_stderr()
    name = served_name(_MODEL_DIR.value)
    with contextlib.ExitStack() as stack:
        stack.enter_context(cli.stopped_by_signals())
        model = load_to_draw(_MODEL_DIR.value)
        viewer = ViewerPaths(name, Views(model))
        # What maps seeds to styles must be what draws them. The folder of a run or of a
        # SavedModel may hold a newer model by now, or later.
        folder = stack.enter_context(exported_folder(model, name))
        has_ended = serve(
            folder,
            name,
            host=_HOST,
            port=_PORT.value,
            # One person asks for little at once, but for whole videos.
            limits=Limits(batch_size=4, request_seconds=300.0),
            more_paths=viewer.paths(),
            on_listening=show,
        )
    # See `serve`.
    if not has_ended:
        os._exit(0)


def run() -> None:
    """Runs the program."""
    cli.run(main)


if __name__ == "__main__":
    run()
