"""The two ways to compute what the renderer draws."""

# "op" is the compiled op. "portable" is stock TensorFlow ops: the same to rounding, on
# any device, and in a SavedModel that is loaded without this package.
BACKENDS = ("op", "portable")


def check_backend(backend: str) -> None:
    """Raises an error if there is no such backend.

    Args:
      backend: Name of the backend.

    Raises:
      ValueError: The backend is unknown.
    """
    if backend not in BACKENDS:
        raise ValueError(
            f"unknown backend {backend!r}, there are {', '.join(map(repr, BACKENDS))}"
        )
