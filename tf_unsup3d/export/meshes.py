"""Textured meshes as files: GLB (glTF 2.0 in one file), Wavefront OBJ, PLY and USDZ.

Inside the project x points right, y down and z away from the camera. Files use the
axes of glTF: y up, the face looking along +z, which is a half turn about x. That is a
rotation, so the triangles keep their orientation.
"""

import os
import pathlib
from typing import Any

import numpy as np
import PIL.Image
import trimesh

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.pictures import to_uint8
from tf_unsup3d.export.usdz import write_usdz
from tf_unsup3d.export.vertex_colours import colours_at
from tf_unsup3d.files import write_bytes
from tf_unsup3d.geometry.mesh import Mesh

SUFFIXES = (".glb", ".obj", ".ply", ".usdz")

# From camera axes to those of files, whose y points up and z at the viewer.
TO_FILE_AXES = np.array([1.0, -1.0, -1.0], np.float32)

# Sampler constants of glTF, which are those of WebGL.
_LINEAR, _LINEAR_MIPMAP_LINEAR, _CLAMP_TO_EDGE = 9729, 9987, 33071


def write_mesh(
    path: str | os.PathLike[str],
    vertices: np.ndarray,
    mesh: Mesh,
    texture: np.ndarray,
) -> None:
    """Writes one textured mesh.

    The suffix of the path chooses the format. `.glb` and `.usdz` files hold the
    texture; beside an `.obj` file an `.mtl` and a `.png` file of the same name are
    written, with `_` for each space in it, and replace what has those names. A `.ply`
    file has no texture, but a colour for each vertex, and texture coordinates `s` and
    `t` that count from the bottom. In `.glb` and `.usdz` files an open mesh is marked
    as visible from both sides.

    Args:
      path: The file to write. Its folder is created if necessary.
      vertices: `[vertices, 3]`, positions in object space.
      mesh: The triangles of the vertices, open or closed, with a texture layout.
      texture: `[height, width, 3]` uint8, or floating point in [-1, 1].

    Raises:
      UserError: The suffix is unknown, the file cannot be written, vertices or texture
        are not finite, or USD, which writes `.usdz`, is not installed.
      ValueError: Vertices or texture have the wrong shape or type, or the mesh has no
        triangles or no texture layout.
    """
    path = pathlib.Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(
            f"cannot write {path}: a mesh file must end in {', '.join(SUFFIXES[:-1])} "
            f"or {SUFFIXES[-1]}"
        )
    vertices, texture = _checked(path, vertices, mesh, texture)
    if suffix == ".glb":
        write_bytes(path, _glb(path.stem, vertices, mesh, texture))
    elif suffix == ".obj":
        _write_obj(path, vertices, mesh, texture)
    elif suffix == ".ply":
        write_bytes(path, _ply(vertices, mesh, texture))
    else:
        geometry = _as_trimesh(vertices, mesh)
        write_usdz(path, geometry, texture, double_sided=_is_open(mesh))


def encode_glb(
    name: str, vertices: np.ndarray, mesh: Mesh, texture: np.ndarray
) -> bytes:
    """Makes the content of a `.glb` file, as `write_mesh` writes it.

    Args:
      name: The name of the mesh and its material in the file.
      vertices: See `write_mesh`, as the other arguments.
      mesh: The triangles of the vertices.
      texture: The texture.

    Returns:
      The content.

    Raises:
      UserError: Vertices or texture are not finite.
      ValueError: As `write_mesh`.
    """
    vertices, texture = _checked(name, vertices, mesh, texture)
    return _glb(name, vertices, mesh, texture)


def _checked(
    target: pathlib.Path | str, vertices: np.ndarray, mesh: Mesh, texture: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and texture that can be written; the texture as uint8."""
    vertices = np.asarray(vertices)
    texture = np.asarray(texture)
    triangles = np.asarray(mesh.triangles)
    if mesh.uv is None or triangles.size == 0:
        raise ValueError("a mesh file takes a mesh with triangles and uv")
    count = triangles.max() + 1
    if vertices.ndim != 2 or vertices.shape[1] != 3 or len(vertices) < count:
        raise ValueError(
            f"vertices must be [vertices, 3] with the {count} vertices of the mesh, got"
            f" {vertices.shape}"
        )
    if texture.ndim != 3 or texture.shape[-1] != 3:
        raise ValueError(f"texture must be [height, width, 3], got {texture.shape}")
    if texture.dtype != np.uint8 and texture.dtype.kind != "f":
        raise ValueError(
            f"texture must be uint8 or floating point, got {texture.dtype}"
        )
    for name, values in (("vertices", vertices), ("texture", texture)):
        if not np.isfinite(values).all():
            raise UserError(f"cannot write {target}: {name} are not finite")
    return vertices, texture if texture.dtype == np.uint8 else to_uint8(texture)


def split_at_seams(mesh: Mesh) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gives each vertex one texture coordinate, as mesh files want it.

    A vertex on a seam of the texture becomes one vertex for each of its texture
    coordinates. On the sphere mesh these are the back pole and the ring around it.

    Args:
      mesh: A mesh with a texture layout.

    Returns:
      vertex_indices: `[N]`, the vertex that each split vertex comes from.
      uv_indices: `[N]`, the texture coordinate of each split vertex.
      triangles: `[triangles, 3]`, indices of split vertices.
    """
    triangles = np.asarray(mesh.triangles)
    uv_triangles = np.asarray(mesh.uv_triangles)
    corners = np.stack([triangles.ravel(), uv_triangles.ravel()], axis=-1)
    pairs, inverse = np.unique(corners, axis=0, return_inverse=True)
    return pairs[:, 0], pairs[:, 1], inverse.reshape(triangles.shape)


def _glb(name: str, vertices: np.ndarray, mesh: Mesh, texture: np.ndarray) -> bytes:
    material = trimesh.visual.material.PBRMaterial(
        name=name,
        baseColorTexture=PIL.Image.fromarray(texture),
        metallicFactor=0.0,
        roughnessFactor=1.0,
        doubleSided=_is_open(mesh),
    )
    scene = trimesh.Scene()
    scene.add_geometry(
        _as_trimesh(vertices, mesh, material), geom_name=name, node_name=name
    )
    return scene.export(
        file_type="glb", include_normals=True, tree_postprocessor=_clamp_textures
    )


def _write_obj(
    path: pathlib.Path, vertices: np.ndarray, mesh: Mesh, texture: np.ndarray
) -> None:
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
    # The mesh comes last, so that the files it names exist when it does.
    for companion, content in companions.items():
        write_bytes(path.with_name(companion), content)
    write_bytes(path, text.encode())


def _ply(vertices: np.ndarray, mesh: Mesh, texture: np.ndarray) -> bytes:
    geometry = _as_trimesh(vertices, mesh)
    visual: Any = geometry.visual
    u, v = visual.uv.T
    colours = colours_at(texture, np.stack([u, 1.0 - v], -1))
    coloured = trimesh.Trimesh(
        vertices=geometry.vertices,
        faces=geometry.faces,
        vertex_normals=geometry.vertex_normals,
        vertex_colors=colours,
        process=False,
    )
    coloured.vertex_attributes.update(s=u.astype(np.float32), t=v.astype(np.float32))
    return trimesh.exchange.ply.export_ply(coloured, vertex_normal=True)


def _is_open(mesh: Mesh) -> bool:
    return bool(np.any(np.asarray(mesh.neighbors) < 0))


def _as_trimesh(
    vertices: np.ndarray, mesh: Mesh, material: Any = None
) -> trimesh.Trimesh:
    vertices = np.asarray(vertices, np.float32) * TO_FILE_AXES
    # Normals are computed before the vertices are split, so that shading does not show
    # the seams.
    normals = trimesh.Trimesh(
        vertices, np.asarray(mesh.triangles), process=False
    ).vertex_normals
    # A vertex whose triangles have no area has no normal, but files want unit vectors.
    lengths = np.linalg.norm(normals, axis=-1, keepdims=True)
    normals = np.where(lengths > 0.5, normals, [0.0, 0.0, 1.0])

    vertex_indices, uv_indices, triangles = split_at_seams(mesh)
    # trimesh counts v from the bottom of the picture.
    uv = np.asarray(mesh.uv)[uv_indices].astype(np.float64)
    uv[:, 1] = 1.0 - uv[:, 1]
    return trimesh.Trimesh(
        vertices=vertices[vertex_indices],
        faces=triangles,
        vertex_normals=normals[vertex_indices],
        visual=trimesh.visual.TextureVisuals(uv=uv, material=material),
        process=False,
    )


def _clamp_textures(tree: dict[str, Any]) -> None:
    """Makes viewers continue the border of the texture, as the renderer does.

    Viewers repeat textures unless told otherwise. Around the back pole the sphere comes
    close to the border, where the opposite side would bleed in.
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
