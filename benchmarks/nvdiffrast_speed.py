"""Times nvdiffrast on the workloads of the GPU check, and adds that to its result.

python benchmarks/nvdiffrast_speed.py --checkout=PATH --workloads=FOLDER --result=FILE

`make gpu-check NVDIFFRAST=PATH` calls this. It needs NumPy, PyTorch and nvdiffrast; if
one is missing, it says so in a line and does nothing else. docs/gpu.md says what is
compared, and what nvdiffrast does not do.
"""

import argparse
import json
import pathlib
import statistics
import sys
from collections.abc import Callable

WARM_UP, RUNS = 5, 30
# How far before and behind the camera's distance the depth is resolved.
DEPTH_RANGE = 2.0


def _clip_coordinates(torch, vertices, height, width):
    """Turns homogeneous pixel coordinates (x z, y z, z) into clip coordinates.

    The first row of nvdiffrast's pictures is at -1, so that nothing is flipped.
    """
    x, y, z = vertices.unbind(-1)
    middle = z.mean()
    near, far = middle - DEPTH_RANGE, middle + DEPTH_RANGE
    depth = (z * (far + near) - 2 * far * near) / (far - near)
    return torch.stack([2 * x / width - z, 2 * y / height - z, depth, z], -1)


class _Workload:
    """A workload on the GPU, in nvdiffrast's own form."""

    def __init__(self, torch, dr, np, prefix: str):
        def load(name):
            return torch.from_numpy(np.load(f"{prefix}_{name}.npy")).cuda()

        self._dr, self._torch = dr, torch
        self._context = dr.RasterizeCudaContext()
        self._background = load("background").requires_grad_()
        self._size = list(self._background.shape[1:3])
        vertices = _clip_coordinates(torch, load("vertices"), *self._size)
        self._vertices = vertices.contiguous().requires_grad_()
        self._texture = load("texture").requires_grad_()
        self._uv = load("uv")[None]
        self._triangles, self._uv_triangles = load("triangles"), load("uv_triangles")
        self._weights = load("picture_gradient")
        self._expected = load("picture")
        # Our kernels are given the neighbours of triangles, too.
        self._topology = dr.antialias_construct_topology_hash(self._triangles)

    def draw(self):
        """Draws [batch, height, width, 3], with antialiased silhouettes."""
        dr = self._dr
        drawn, _ = dr.rasterize(
            self._context,
            self._vertices,
            self._triangles,
            resolution=self._size,
            grad_db=False,  # For mipmaps, of which there are none.
        )
        uv, _ = dr.interpolate(self._uv, drawn, self._uv_triangles)
        colour = dr.texture(
            self._texture, uv, filter_mode="linear", boundary_mode="clamp"
        )
        picture = self._torch.where(drawn[..., 3:] > 0, colour, self._background)
        return dr.antialias(
            picture,
            drawn,
            self._vertices,
            self._triangles,
            topology_hash=self._topology,
        )

    def differentiate(self, picture) -> None:
        """Finds the derivatives by vertices, texture and background."""
        inputs = (self._vertices, self._texture, self._background)
        self._torch.autograd.grad(picture, inputs, self._weights)

    def difference(self) -> float:
        """Mean difference of the pictures from those that the check has drawn."""
        return float((self.draw() - self._expected).abs().mean())


def _milliseconds(torch, prepare: Callable, call: Callable) -> list[float]:
    """Times `call(prepare())`, without what `prepare` takes."""
    times = []
    for run in range(WARM_UP + RUNS):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        prepared = prepare()
        torch.cuda.synchronize()
        begin.record()
        call(prepared)
        end.record()
        end.synchronize()
        if run >= WARM_UP:
            times.append(begin.elapsed_time(end))
    return times


def _measure(torch, dr, np, folder: pathlib.Path, ours: dict) -> dict:
    """Times one workload, beside what the check has measured."""
    workload = _Workload(torch, dr, np, str(folder / ours["workload"]))
    forward = _milliseconds(torch, lambda: None, lambda _: workload.draw())
    backward = _milliseconds(torch, workload.draw, workload.differentiate)
    found = {
        "workload": ours["workload"],
        "forward_ms": statistics.median(forward),
        "backward_ms": statistics.median(backward),
        "difference": workload.difference(),
    }
    for part in ("forward", "backward"):
        found[f"our_{part}_ratio"] = ours[f"{part}_ms"] / found[f"{part}_ms"]
    print(
        f"nvdiffrast {ours['workload']}: forward {found['forward_ms']:.3f} ms, backward"
        f" {found['backward_ms']:.3f} ms; ours takes {found['our_forward_ratio']:.2f}"
        f" and {found['our_backward_ratio']:.2f} times as long; the pictures differ by"
        f" {found['difference']:.4f}",
        flush=True,
    )
    return found


def _find(checkout: str):
    """Imports what is needed.

    Returns:
      NumPy, PyTorch and nvdiffrast, or None and the reason.
    """
    try:
        import numpy as np
        import torch
    except ImportError as error:
        return None, f"{error.name} is not installed"
    sys.path.insert(0, checkout)
    try:
        import nvdiffrast.torch as dr

        dr.RasterizeCudaContext()
    # It may be missing, or fail to compile for this PyTorch or GPU.
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        return None, f"{checkout} does not run: {type(error).__name__}: {reason}"
    return (np, torch, dr), None


def main() -> None:
    """Measures all workloads that are in the folder."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--checkout", required=True, help="Checkout of nvdiffrast.")
    parser.add_argument("--workloads", required=True, help="Folder of the workloads.")
    parser.add_argument("--result", required=True, help="JSON file of the check.")
    arguments = parser.parse_args()
    path = pathlib.Path(arguments.result)
    result = json.loads(path.read_text())
    modules, reason = _find(arguments.checkout)
    if modules is None:
        print(f"nvdiffrast: not timed: {reason}")
        result["nvdiffrast"] = {"not_timed": reason}
    else:
        np, torch, dr = modules
        folder = pathlib.Path(arguments.workloads)
        times = [
            _measure(torch, dr, np, folder, ours)
            for ours in result.get("times", [])
            if ours["benchmark"]
        ]
        result["nvdiffrast"] = {
            "device": torch.cuda.get_device_name(),
            "torch": torch.__version__,
            "times": times,
        }
    path.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
