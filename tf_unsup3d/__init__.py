"""Textured 3D objects learned from photographs alone.

    import tf_unsup3d

    model = tf_unsup3d.load("pretrained:faces64")
    scene = model.sample([0, 1])
    pictures = model.draw(scene, yaw_degrees=30.0)["picture"]

TensorFlow is imported when one of these names is first used, not with the package.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tf_unsup3d.export.meshes import write_mesh
    from tf_unsup3d.geometry.mesh import Mesh
    from tf_unsup3d.models.generator import Generator
    from tf_unsup3d.reconstruction.reconstructor import Reconstruction, Reconstructor
    from tf_unsup3d.rendering.camera import PinholeCamera
    from tf_unsup3d.rendering.renderer import Renderer
    from tf_unsup3d.rendering.scene import Scene
    from tf_unsup3d.trained.trained_model import TrainedModel, load

__version__ = "0.1.0"

__all__ = [
    "Generator",
    "Mesh",
    "PinholeCamera",
    "Reconstruction",
    "Reconstructor",
    "Renderer",
    "Scene",
    "TrainedModel",
    "load",
    "write_mesh",
]

_MODULES = {
    "Generator": "models.generator",
    "Mesh": "geometry.mesh",
    "PinholeCamera": "rendering.camera",
    "Reconstruction": "reconstruction.reconstructor",
    "Reconstructor": "reconstruction.reconstructor",
    "Renderer": "rendering.renderer",
    "Scene": "rendering.scene",
    "TrainedModel": "trained.trained_model",
    "load": "trained.trained_model",
    "write_mesh": "export.meshes",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = importlib.import_module(f"{__name__}.{_MODULES[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return [*globals(), *_MODULES]
