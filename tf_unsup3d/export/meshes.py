"""Textured meshes as files: GLB (glTF 2.0 in one file) and Wavefront OBJ.

Inside the project x points right, y down and z away from the camera. Files use the
axes of glTF: y up, the face looking along +z, which is a half turn about x. That is a
rotation, so the triangles keep their orientation.
"""

import os
import pathlib

import numpy as np
import PIL.Image
import trimesh

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.maps import to_uint8
from tf_unsup3d.files import write_bytes
from tf_unsup3d.geometry.sphere import SphereMesh

SUFFIXES = (".glb", ".obj")

_TO_FILE_AXES = np.float32([1.0, -1.0, -1.0])

# WebGL's numbers, which glTF uses.
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071


def write_mesh(
    path: str | os.PathLike,
    vertices: np.ndarray,
    mesh: SphereMesh,
    texture: np.ndarray,
) -> None:
    """Writes one textured mesh.

    The suffix of the path chooses the format: `.glb` is one file with the texture
    inside; `.obj` comes with an `.mtl` and a `.png` of the same name beside it.

    Args:
      path: file to write; its folder is made when missing.
      vertices: [V, 3] positions in object space.
      mesh: triangles and texture coordinates of the V vertices.
      texture: [height, width, 3] uint8, or floats in [-1, 1].

    Raises:
      UserError: the suffix is unknown, the file cannot be written, or vertices or
        texture are not finite.
      ValueError: vertices or texture have the wrong shape.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot write {path}: a mesh file must end in {' or '.join(SUFFIXES)}"
        )
    vertices = np.asarray(vertices)
    texture = np.asarray(texture)
    if vertices.shape != mesh.directions.shape:
        raise ValueError(
            f"vertices must be {mesh.directions.shape}, got {vertices.shape}"
        )
    if texture.ndim != 3 or texture.shape[-1] != 3:
        raise ValueError(f"texture must be [height, width, 3], got {texture.shape}")
    for name, values in (("vertices", vertices), ("texture", texture)):
        if not np.isfinite(values).all():
            raise UserError(f"cannot write {path}: {name} are not finite")
    if texture.dtype != np.uint8:
        texture = to_uint8(texture)

    if suffix == ".glb":
        _write_glb(path, vertices, mesh, texture)
    else:
        _write_obj(path, vertices, mesh, texture)


def split_at_seam(mesh: SphereMesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gives each vertex one texture coordinate, as mesh files want it.

    A vertex on the seam of the texture (the back pole) becomes one vertex for each of
    its texture coordinates.

    Args:
      mesh: mesh of V vertices with U texture coordinates given per corner.

    Returns:
      vertex_indices [N]: the vertex that each split vertex comes from.
      uv_indices [N]: the texture coordinate of each split vertex.
      triangles [F, 3]: indices of split vertices.
    """
    corners = np.stack([mesh.triangles.ravel(), mesh.uv_triangles.ravel()], axis=-1)
    pairs, inverse = np.unique(corners, axis=0, return_inverse=True)
    return pairs[:, 0], pairs[:, 1], inverse.reshape(mesh.triangles.shape)


def _write_glb(path, vertices, mesh, texture) -> None:
    material = trimesh.visual.material.PBRMaterial(
        name=path.stem,
        baseColorTexture=PIL.Image.fromarray(texture),
        metallicFactor=0.0,
        roughnessFactor=1.0,
        doubleSided=False,
    )
    scene = trimesh.Scene()
    scene.add_geometry(
        _as_trimesh(vertices, mesh, material), geom_name=path.stem, node_name=path.stem
    )
    content = scene.export(
        file_type="glb", include_normals=True, tree_postprocessor=_clamp_textures
    )
    write_bytes(path, content)


def _write_obj(path, vertices, mesh, texture) -> None:
    # The format separates words by spaces and has no quotes.
    name = "_".join(path.stem.split())
    material = trimesh.visual.material.SimpleMaterial(
        image=PIL.Image.fromarray(texture),
        diffuse=[255, 255, 255, 255],
        ambient=[255, 255, 255, 255],
        specular=[0, 0, 0, 255],
    )
    material.name = name
    text, companions = trimesh.exchange.obj.export_obj(
        _as_trimesh(vertices, mesh, material),
        include_normals=True,
        return_texture=True,
        mtl_name=f"{name}.mtl",
        header=None,
    )
    # The mesh comes last, so that whatever it names is there.
    for companion, content in companions.items():
        write_bytes(path.with_name(companion), content)
    write_bytes(path, text.encode())


def _as_trimesh(vertices, mesh, material) -> trimesh.Trimesh:
    vertices = np.asarray(vertices, np.float32) * _TO_FILE_AXES
    # Normals of the closed mesh, so that shading does not show the seam.
    normals = trimesh.Trimesh(vertices, mesh.triangles, process=False).vertex_normals
    # A vertex whose triangles have no area has no normal; files want unit vectors.
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = np.where(lengths > 0.5, normals, mesh.directions * _TO_FILE_AXES)

    vertex_indices, uv_indices, triangles = split_at_seam(mesh)
    # trimesh counts v from the bottom of the picture.
    uv = mesh.uv[uv_indices].astype(np.float64)
    uv[:, 1] = 1.0 - uv[:, 1]
    return trimesh.Trimesh(
        vertices=vertices[vertex_indices],
        faces=triangles,
        vertex_normals=normals[vertex_indices],
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material),
        process=False,
    )


def _clamp_textures(tree: dict) -> None:
    """Keeps viewers from wrapping around at the border of the texture.

    glTF repeats textures unless told otherwise; ours comes close to the border around
    the back pole, where the opposite side would bleed in.
    """
    tree["samplers"] = [
        {
            "magFilter": _LINEAR,
            "minFilter": _LINEAR_MIPMAP_LINEAR,
            "wrapS": _CLAMP_TO_EDGE,
            "wrapT": _CLAMP_TO_EDGE,
        }
    ]
    for texture in tree["textures"]:
        texture["sampler"] = 0
