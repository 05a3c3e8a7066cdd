"""The renderers that are measured."""

import importlib

from benchmarks.renderers.base import NotAvailable, Options, Renderer

# Name on the command line -> module and class; imported only when asked for.
CLASSES = {
    "ours": ("ours", "Ours"),
    "ours64": ("ours", "OursFloat64"),
    "ours_hard": ("ours", "OursHard"),
    "ptfrenderer": ("ptfrenderer", "PTFRenderer"),
    "ptfrenderer64": ("ptfrenderer", "PTFRendererFloat64"),
    "deodr": ("deodr_renderer", "Deodr"),
    "tensorflow_graphics": ("rasterize_then_splat", "RasterizeThenSplat"),
    "pytorch3d": ("pytorch3d_renderer", "PyTorch3D"),
    "opengl": ("opengl", "OpenGL"),
}


def create(name: str, options: Options | None = None) -> Renderer:
    """Makes a renderer.

    Args:
      name: one of `CLASSES`.
      options: what the user says about the renderers.

    Returns:
      The renderer.

    Raises:
      NotAvailable: it cannot run here.
    """
    module, class_name = CLASSES[name]
    module = importlib.import_module(f"benchmarks.renderers.{module}")
    return getattr(module, class_name)(options or Options())


__all__ = ["CLASSES", "NotAvailable", "Options", "Renderer", "create"]
