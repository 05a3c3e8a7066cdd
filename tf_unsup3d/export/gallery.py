"""A page to send to somebody: objects that can be turned in any browser.

The page is one file that holds the meshes, their pictures and the viewer, Google's
`<model-viewer>` (Apache-2.0). It loads nothing from anywhere.
"""

import base64
import html
import importlib.resources
import os
import string

from tf_unsup3d.export.drawing import draw_pictures
from tf_unsup3d.export.meshes import encode_glb
from tf_unsup3d.export.pictures import encode_png
from tf_unsup3d.files import write_text
from tf_unsup3d.rendering.scene import Scene
from tf_unsup3d.trained.trained_model import TrainedModel

_ASSETS = importlib.resources.files(__package__) / "gallery_assets"
# Pictures stand for the meshes until these are shown.
_PICTURE_SIZE = 256
_CARD = string.Template(
    """<li>
<model-viewer src="$glb" alt="$name" camera-controls touch-action="pan-y" loading="lazy"
  interaction-prompt="none" shadow-intensity="0" camera-orbit="20deg 80deg auto">
<img slot="poster" src="$picture" alt="$name">
</model-viewer>
<p><span>$name</span> <a download="$name.glb">GLB</a></p>
</li>"""
)


def write_gallery(
    path: str | os.PathLike[str],
    model: TrainedModel,
    scene: Scene,
    names: list[str],
    title: str,
) -> None:
    """Writes a page of objects.

    Args:
      path: The `.html` file to write. Its folder is created if necessary.
      model: The model that made the scene.
      scene: The objects.
      names: Name of each object, shown below it.
      title: Title of the page.

    Raises:
      UserError: The file cannot be written, or an object is not finite.
    """
    renderer = model.renderer.replace(resolution=_PICTURE_SIZE, pivot=(0.0, 0.0, 0.0))
    cards = []
    for name, vertices, texture, picture in zip(
        names,
        scene.vertices.numpy(),
        scene.texture.numpy(),
        draw_pictures(renderer, scene),
        strict=True,
    ):
        glb = encode_glb(name, vertices, model.mesh, texture)
        values = {
            "name": html.escape(name),
            "glb": _data_url("model/gltf-binary", glb),
            "picture": _data_url("image/png", encode_png(picture)),
        }
        cards.append(_CARD.substitute(values))
    page = string.Template((_ASSETS / "gallery.html").read_text("utf-8")).substitute(
        title=html.escape(title),
        description=f"{len(names)} textured meshes of {len(model.mesh.triangles):,} "
        "triangles.",
        cards="\n".join(cards),
        script=(_ASSETS / "model-viewer-umd.min.js").read_text("utf-8"),
    )
    write_text(path, page)


def _data_url(media_type: str, content: bytes) -> str:
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"
