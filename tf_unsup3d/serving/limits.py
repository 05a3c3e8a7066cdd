"""What the service takes on, so that no client can exhaust it."""

import dataclasses
from collections.abc import Mapping

import numpy as np

from tf_unsup3d.serving.mesh_requests import count_triangle_pixels
from tf_unsup3d.serving.request_error import bad_request

# Triangles of this many pictures may lie behind each other.
_LAYERS = 16
_SMALLEST_SIZE = 512


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of the service.

    Attributes:
      batch_size: Most rows that the model computes at once, and most rows of one
        request. Larger batches are faster per row, up to about 16 on two cores.
      queue_size: Most rows that wait for the model. Beyond that, requests are refused
        with status 503. The default is what the model computes in about a second.
      body_bytes: Most bytes of the body of a request. The default holds a batch of 16
        meshes of 8,192 triangles with their textures.
      bodies_bytes: Most bytes of all bodies that are being received or served.
      answers_bytes: Most bytes of all answers that clients have not taken yet. Beyond
        that, those are dropped that have been taken for longest, but never the last.
      picture_size: The pictures of a request have at most the pixels of one of this
        height and width. A pixel of `render_mesh` takes 100 bytes of JSON.
      triangles: Most triangles of the meshes of a request. Each takes 5 kB.
      request_seconds: Longest time from the end of a request to its answer.
      receive_seconds: Longest time for a client to send the head of its request, and
        again for the body; also the longest pause in taking the answer.
      connections: Most connections at a time.
    """

    batch_size: int = 16
    queue_size: int = 256
    body_bytes: int = 16 * 2**20
    bodies_bytes: int = 256 * 2**20
    answers_bytes: int = 256 * 2**20
    picture_size: int = 512
    triangles: int = 2**18
    request_seconds: float = 30.0
    receive_seconds: float = 10.0
    connections: int = 512

    @property
    def padded_sizes(self) -> tuple[int, ...]:
        """The batch sizes that the model is run with: 1 to 8, 10, 12, 14, 16, 20, ...

        Batches, but for those of meshes, are padded to one of these, so that TensorFlow
        prepares for a few shapes only.
        """
        sizes = [1]
        while sizes[-1] < self.batch_size:
            step = 2 ** max(0, sizes[-1].bit_length() - 3)
            sizes.append(min(sizes[-1] + step, self.batch_size))
        return tuple(sizes)

    @property
    def triangle_pixels(self) -> int:
        """Most pixels that the triangles of a request may reach, each on its own.

        The portable renderer takes 350 bytes for each. All triangles of a picture
        count, those that others hide too.
        """
        return _LAYERS * max(self.picture_size, _SMALLEST_SIZE) ** 2

    def check_pictures(self, inputs: Mapping[str, np.ndarray]) -> None:
        """Checks the size of the pictures that a request asks for.

        Args:
          inputs: The inputs by name. Where `height` and `width` are among them, they
            are the sizes of pictures.

        Raises:
          RequestError: The pictures are too large, or a size is not positive.
        """
        height, width = (inputs.get(name) for name in ("height", "width"))
        if height is None or width is None or height.shape != width.shape:
            return
        for name, sizes in (("height", height), ("width", width)):
            if np.any(sizes < 1):
                raise bad_request(f"{name} must be positive, got {np.min(sizes)}")
        pixels = int(np.sum(height.astype(np.float64) * width))
        if pixels > self.picture_size**2:
            raise bad_request(
                f"the pictures have {pixels} pixels; a request may ask for "
                f"{self.picture_size**2}"
            )

    def check_meshes(self, inputs: Mapping[str, np.ndarray]) -> int:
        """Checks how much there is to draw in the pictures of a request.

        Args:
          inputs: The inputs of `render_mesh` by name, with as many rows each, whose
            pictures have been checked.

        Returns:
          The number of pixels that the triangles may reach, each on its own.

        Raises:
          RequestError: There are too many triangles, or they reach too many pixels.
        """
        rows, triangles = inputs["triangles"].shape[:2]
        if rows * triangles > self.triangles:
            raise bad_request(
                f"the meshes have {rows * triangles} triangles; a request may have "
                f"{self.triangles}"
            )
        pixels = count_triangle_pixels(inputs)
        if pixels > self.triangle_pixels:
            raise bad_request(
                f"the triangles reach {pixels} pixels, each triangle on its own; those "
                f"of a request may reach {self.triangle_pixels}"
            )
        return pixels
