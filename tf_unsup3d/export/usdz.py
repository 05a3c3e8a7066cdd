"""Textured meshes as USDZ, Universal Scene Description in one file.

USD itself, the package usd-core, is imported when a file is written.
"""

import pathlib
import tempfile
from typing import Any

import numpy as np
import trimesh

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.pictures import write_png
from tf_unsup3d.files import replacing


def check_package() -> None:
    """Checks that USD is installed.

    Raises:
      UserError: It is not.
    """
    try:
        import pxr  # noqa: F401
    except ImportError as error:
        raise UserError(
            "USDZ files need the package usd-core; install it with: "
            "pip install 'tf-unsup3d[usd]'"
        ) from error


def write_usdz(
    path: pathlib.Path,
    geometry: trimesh.Trimesh,
    texture: np.ndarray,
    double_sided: bool,
) -> None:
    """Writes a mesh whose texture is in the file, too.

    Args:
      path: The file to write. Its folder is created if necessary.
      geometry: The mesh in the axes of the file, with normals, and texture coordinates
        that count from the bottom, as USD does.
      texture: `[height, width, 3]` uint8.
      double_sided: Whether the mesh is visible from both sides.

    Raises:
      UserError: USD is not installed, or the file cannot be written.
    """
    check_package()
    from pxr import Sdf, Tf, UsdUtils

    with replacing(path) as temporary, tempfile.TemporaryDirectory() as folder:
        write_png(pathlib.Path(folder) / "texture.png", texture)
        stage_file = pathlib.Path(folder) / "mesh.usdc"
        name = Tf.MakeValidIdentifier(path.stem)
        _write_stage(stage_file, name, geometry, double_sided)
        UsdUtils.CreateNewUsdzPackage(Sdf.AssetPath(str(stage_file)), str(temporary))


def _write_stage(
    path: pathlib.Path, name: str, geometry: trimesh.Trimesh, double_sided: bool
) -> None:
    """Writes the stage, which names `texture.png` in its own folder."""
    from pxr import Sdf, Usd, UsdGeom, Vt

    stage = Usd.Stage.CreateNew(str(path))
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    root = UsdGeom.Xform.Define(stage, f"/{name}")
    stage.SetDefaultPrim(root.GetPrim())

    mesh = UsdGeom.Mesh.Define(stage, f"/{name}/mesh")
    vertices = np.asarray(geometry.vertices, np.float32)
    mesh.CreatePointsAttr(Vt.Vec3fArray.FromNumpy(vertices))
    mesh.CreateExtentAttr([vertices.min(0).tolist(), vertices.max(0).tolist()])
    triangles = np.asarray(geometry.faces, np.int32)
    mesh.CreateFaceVertexCountsAttr([3] * len(triangles))
    mesh.CreateFaceVertexIndicesAttr(Vt.IntArray.FromNumpy(triangles.ravel()))
    normals = np.asarray(geometry.vertex_normals, np.float32)
    mesh.CreateNormalsAttr(Vt.Vec3fArray.FromNumpy(normals))
    mesh.SetNormalsInterpolation(UsdGeom.Tokens.vertex)
    # The triangles are the surface: it is not to be subdivided.
    mesh.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    mesh.CreateDoubleSidedAttr(double_sided)
    coordinates = UsdGeom.PrimvarsAPI(mesh).CreatePrimvar(
        "st", Sdf.ValueTypeNames.TexCoord2fArray, UsdGeom.Tokens.vertex
    )
    visual: Any = geometry.visual
    uv = np.asarray(visual.uv, np.float32)
    coordinates.Set(Vt.Vec2fArray.FromNumpy(uv))
    _add_material(stage, f"/{name}/material", mesh)
    stage.GetRootLayer().Save()


def _add_material(stage: Any, path: str, mesh: Any) -> None:
    """Binds a diffuse material with the texture, the border of which continues."""
    from pxr import Sdf, UsdShade

    types = Sdf.ValueTypeNames
    material = UsdShade.Material.Define(stage, path)
    reader = UsdShade.Shader.Define(stage, f"{path}/coordinates")
    reader.CreateIdAttr("UsdPrimvarReader_float2")
    reader.CreateInput("varname", types.String).Set("st")
    texture = UsdShade.Shader.Define(stage, f"{path}/texture")
    texture.CreateIdAttr("UsdUVTexture")
    texture.CreateInput("file", types.Asset).Set("texture.png")
    texture.CreateInput("sourceColorSpace", types.Token).Set("sRGB")
    for side in ("wrapS", "wrapT"):
        texture.CreateInput(side, types.Token).Set("clamp")
    texture.CreateInput("st", types.Float2).ConnectToSource(
        reader.CreateOutput("result", types.Float2)
    )
    surface = UsdShade.Shader.Define(stage, f"{path}/surface")
    surface.CreateIdAttr("UsdPreviewSurface")
    surface.CreateInput("metallic", types.Float).Set(0.0)
    surface.CreateInput("roughness", types.Float).Set(1.0)
    surface.CreateInput("diffuseColor", types.Color3f).ConnectToSource(
        texture.CreateOutput("rgb", types.Float3)
    )
    material.CreateSurfaceOutput().ConnectToSource(
        surface.CreateOutput("surface", types.Token)
    )
    UsdShade.MaterialBindingAPI.Apply(mesh.GetPrim()).Bind(material)
