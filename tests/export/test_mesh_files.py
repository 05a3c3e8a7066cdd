import io
import json
import struct
import sys
import zipfile

import numpy as np
import PIL.Image
import pytest
import trimesh

from tf_unsup3d.errors import UserError
from tf_unsup3d.export.meshes import split_at_seams, write_mesh
from tf_unsup3d.geometry.mesh import Mesh
from tf_unsup3d.geometry.sphere import octahedral_sphere

MESH = octahedral_sphere(8)
SIZE = 64


def _bumpy_vertices():
    # Different along each axis and direction, so that no turn or mirror goes unseen.
    x, y, z = np.moveaxis(MESH.directions, -1, 0)
    radius = 1.0 + 0.2 * x + 0.1 * y * (y > 0) - 0.3 * z * (z < 0)
    return (MESH.directions * radius[:, None] * [0.8, 1.0, 0.9]).astype(np.float32)


def _ramp_texture():
    # Red counts columns, green rows: a colour tells its place in the picture.
    rows, columns = np.mgrid[:SIZE, :SIZE]
    return np.stack([4 * columns, 4 * rows, rows ^ columns], -1).astype(np.uint8)


def _read(path):
    scene = trimesh.load_scene(path, process=False)
    (mesh,) = scene.dump()
    return mesh


def _image(mesh):
    material = mesh.visual.material
    image = getattr(material, "baseColorTexture", None) or material.image
    return np.asarray(image.convert("RGB"))


def _json_of_glb(path):
    content = path.read_bytes()
    magic, version, length = struct.unpack("<4sII", content[:12])
    assert (magic, version, length) == (b"glTF", 2, len(content))
    (size,) = struct.unpack("<I", content[12:16])
    return json.loads(content[20 : 20 + size]), content[28 + size :]


def _accessor(tree, binary, index, columns):
    accessor = tree["accessors"][index]
    view = tree["bufferViews"][accessor["bufferView"]]
    offset = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
    dtype = {5125: "<u4", 5126: "<f4"}[accessor["componentType"]]
    count = accessor["count"] * columns
    values = np.frombuffer(binary, dtype, count, offset).reshape(-1, columns)
    if "min" in accessor:
        np.testing.assert_array_equal(accessor["min"], values.min(axis=0))
        np.testing.assert_array_equal(accessor["max"], values.max(axis=0))
    return values


@pytest.fixture(scope="module", params=["head.glb", "head.obj", "a head.obj"])
def written(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("meshes") / "new folder" / request.param
    write_mesh(path, _bumpy_vertices(), MESH, _ramp_texture())
    return path


def test_seam_is_split_only_around_the_back_pole():
    vertex_indices, uv_indices, triangles = split_at_seams(MESH)
    # The back pole and the ring around it, whose triangles show one colour each.
    _, copies = np.unique(vertex_indices, return_counts=True)
    assert np.all(copies[:-5] == 1) and np.all(copies[-5:] > 1)
    np.testing.assert_array_equal(vertex_indices[triangles], MESH.triangles)
    np.testing.assert_array_equal(uv_indices[triangles], MESH.uv_triangles)


def test_positions_are_turned_to_y_up_facing_plus_z(written):
    mesh = _read(written)
    expected = (_bumpy_vertices() * [1, -1, -1])[MESH.triangles]
    np.testing.assert_allclose(mesh.vertices[mesh.faces], expected, atol=1e-6)


def test_corners_show_their_place_of_the_texture(written):
    mesh = _read(written)
    image = _image(mesh)
    np.testing.assert_array_equal(image, _ramp_texture())
    # trimesh counts rows from the bottom, texels have their centres at halves.
    u, v = np.moveaxis(mesh.visual.uv[mesh.faces], -1, 0)
    texel = np.floor(np.stack([u * SIZE, (1 - v) * SIZE], -1) + 1e-4).astype(int)
    colours = image[texel[..., 1], texel[..., 0]]
    ours = np.floor(MESH.uv[MESH.uv_triangles] * SIZE + 1e-4).astype(int)
    expected = _ramp_texture()[ours[..., 1], ours[..., 0]]
    np.testing.assert_array_equal(colours, expected)


def test_picture_left_is_seen_left_and_up_is_up(written):
    mesh = _read(written)
    # The viewer stands at +z with y up: x runs to the right.
    front = mesh.vertices[:, 2] > 0.3
    colours = np.asarray(mesh.visual.to_color().vertex_colors, float)[front]
    x, y, _ = mesh.vertices[front].T
    assert np.corrcoef(x, colours[:, 0])[0, 1] > 0.9
    assert np.corrcoef(-y, colours[:, 1])[0, 1] > 0.9


def test_surface_is_closed_and_outward(written):
    mesh = _read(written)
    assert not mesh.is_watertight  # The seam is split, for the texture.
    mesh.merge_vertices(merge_tex=True, merge_norm=True)
    assert len(mesh.vertices) == len(MESH.directions)
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    expected = trimesh.Trimesh(_bumpy_vertices(), MESH.triangles, process=False).volume
    assert mesh.volume == pytest.approx(expected, rel=1e-5)
    assert mesh.volume > 0


def _stored_positions_and_normals(path):
    # As the file has them: a mesh dumped from a trimesh scene has new ones.
    if path.suffix == ".glb":
        tree, binary = _json_of_glb(path)
        attributes = tree["meshes"][0]["primitives"][0]["attributes"]
        return [
            _accessor(tree, binary, attributes[name], 3)
            for name in ("POSITION", "NORMAL")
        ]
    words = [line.split() for line in path.read_text().splitlines() if line]
    return [
        np.array([line[1:] for line in words if line[0] == key], float)
        for key in ("v", "vn")
    ]


def test_normals_do_not_show_the_seam(written):
    positions, normals = _stored_positions_and_normals(written)
    assert len(positions) == len(normals)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    pole = _bumpy_vertices()[-1] * [1, -1, -1]
    at_pole = normals[np.linalg.norm(positions - pole, axis=-1) < 1e-5]
    assert len(at_pole) == 4
    np.testing.assert_allclose(at_pole, at_pole[[0, 0, 0, 0]], atol=1e-6)
    # Outward, in the axes of the file: the back pole looks away from the viewer.
    assert at_pole[0, 2] < -0.5


def test_glb_holds_what_viewers_ask_for(tmp_path):
    path = tmp_path / "head.glb"
    write_mesh(path, _bumpy_vertices(), MESH, _ramp_texture())
    tree, binary = _json_of_glb(path)
    ((primitive,),) = [mesh["primitives"] for mesh in tree["meshes"]]
    attributes = primitive["attributes"]
    assert {"POSITION", "NORMAL", "TEXCOORD_0"} == set(attributes)
    assert primitive.get("mode", 4) == 4

    assert {"min", "max"} <= set(tree["accessors"][attributes["POSITION"]])
    positions = _accessor(tree, binary, attributes["POSITION"], 3)
    uv = _accessor(tree, binary, attributes["TEXCOORD_0"], 2)
    normals = _accessor(tree, binary, attributes["NORMAL"], 3)
    indices = _accessor(tree, binary, primitive["indices"], 1)
    assert len(positions) == len(uv) == len(normals)
    assert indices.max() == len(positions) - 1
    assert len(indices) == MESH.triangles.size
    # glTF counts v from the top, as we do.
    corners = uv[indices.reshape(-1, 3)]
    np.testing.assert_allclose(corners, MESH.uv[MESH.uv_triangles], atol=1e-6)

    material = tree["materials"][primitive["material"]]
    surface = material["pbrMetallicRoughness"]
    assert (surface["metallicFactor"], surface["roughnessFactor"]) == (0.0, 1.0)
    assert surface.get("baseColorFactor", [1, 1, 1, 1]) == [1, 1, 1, 1]
    assert not material.get("doubleSided", False)
    texture = tree["textures"][surface["baseColorTexture"]["index"]]
    sampler = tree["samplers"][texture["sampler"]]
    assert (sampler["wrapS"], sampler["wrapT"]) == (33071, 33071)
    image = tree["images"][texture["source"]]
    assert image["mimeType"] == "image/png"
    start = tree["bufferViews"][image["bufferView"]]["byteOffset"]
    assert binary[start : start + 8] == b"\x89PNG\r\n\x1a\n"


def test_obj_names_its_companions(tmp_path):
    write_mesh(tmp_path / "a head.obj", _bumpy_vertices(), MESH, _ramp_texture())
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["a head.obj", "a_head.mtl", "a_head.png"]
    assert "mtllib a_head.mtl\n" in (tmp_path / "a head.obj").read_text()
    material = (tmp_path / "a_head.mtl").read_text().split("\n")
    assert "map_Kd a_head.png" in material
    # Anything darker than white would darken the texture.
    assert "Kd 1.00000000 1.00000000 1.00000000" in material


def test_float_texture_runs_from_minus_one_to_one(tmp_path):
    texture = _ramp_texture().astype(np.float32) / 127.5 - 1.0
    write_mesh(tmp_path / "head.GLB", _bumpy_vertices(), MESH, texture)
    np.testing.assert_array_equal(_image(_read(tmp_path / "head.GLB")), _ramp_texture())


def test_vertices_without_area_get_unit_normals(tmp_path):
    vertices = np.zeros_like(MESH.directions)
    write_mesh(tmp_path / "point.glb", vertices, MESH, _ramp_texture())
    tree, binary = _json_of_glb(tmp_path / "point.glb")
    normal = tree["meshes"][0]["primitives"][0]["attributes"]["NORMAL"]
    lengths = np.linalg.norm(_accessor(tree, binary, normal, 3), axis=-1)
    np.testing.assert_allclose(lengths, 1.0, atol=1e-5)


@pytest.mark.parametrize("name", ["head.stl", "head"])
def test_unknown_suffix_is_refused(tmp_path, name):
    with pytest.raises(UserError, match=rf"{name}: .*\.glb, .*\.ply or \.usdz"):
        write_mesh(tmp_path / name, _bumpy_vertices(), MESH, _ramp_texture())
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["head.glb", "head.obj", "head.ply", "head.usdz"])
def test_unwritable_path_is_named(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UserError, match=r"cannot write .*file/head\."):
        write_mesh(tmp_path / "file" / name, _bumpy_vertices(), MESH, _ramp_texture())


@pytest.mark.parametrize("broken", ["vertices", "texture"])
def test_values_that_are_not_finite_are_refused(tmp_path, broken):
    arrays = {"vertices": _bumpy_vertices(), "texture": np.zeros([8, 8, 3])}
    arrays[broken][1, 2] = np.nan
    with pytest.raises(UserError, match=f"{broken} are not finite"):
        write_mesh(tmp_path / "head.glb", mesh=MESH, **arrays)
    assert not list(tmp_path.iterdir())


def test_wrong_shapes_are_refused(tmp_path):
    path = tmp_path / "head.glb"
    with pytest.raises(ValueError, match=r"the 258 vertices of the mesh, got \(257, 3"):
        write_mesh(path, _bumpy_vertices()[1:], MESH, _ramp_texture())
    with pytest.raises(ValueError, match="uint8 or floating point, got int64"):
        write_mesh(path, _bumpy_vertices(), MESH, np.zeros([4, 4, 3], np.int64))
    with pytest.raises(ValueError, match=r"texture must be .* got \(64, 64\)"):
        write_mesh(path, _bumpy_vertices(), MESH, _ramp_texture()[..., 0])
    with pytest.raises(ValueError, match="with triangles and uv"):
        write_mesh(path, _bumpy_vertices(), Mesh(MESH.triangles), _ramp_texture())
    assert not list(tmp_path.iterdir())


# Two triangles that share an edge but no texture coordinates, one without area, and a
# vertex that belongs to none.
OPEN = Mesh(
    [[0, 1, 2], [2, 1, 3], [4, 5, 6]],
    uv=[[0.0, 0.0], [0.0, 1.0], [0.5, 0.0], [0.5, 1.0], [1.0, 0.0], [1.0, 1.0]],
    uv_triangles=[[0, 1, 2], [4, 3, 5], [0, 0, 0]],
)
OPEN_VERTICES = np.array(
    [
        [0, 0, 0],
        [0, 1, 0],
        [1, 0, 0],
        [1, 1, 0],
        [2, 2, 2],
        [2, 2, 2],
        [3, 3, 3],
        [9, 9, 9],
    ],
    np.float32,
)


@pytest.mark.parametrize("name", ["open.glb", "open.obj"])
def test_any_mesh_with_uv_is_written(tmp_path, name):
    write_mesh(tmp_path / name, OPEN_VERTICES, OPEN, _ramp_texture())
    mesh = _read(tmp_path / name)
    np.testing.assert_array_equal(
        mesh.vertices[mesh.faces], (OPEN_VERTICES * [1, -1, -1])[OPEN.triangles]
    )
    np.testing.assert_allclose(
        mesh.visual.uv[mesh.faces] * [1, -1] + [0, 1], OPEN.uv[OPEN.uv_triangles]
    )
    assert 9 not in mesh.vertices
    _, normals = _stored_positions_and_normals(tmp_path / name)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0)
    if name.endswith(".glb"):
        tree, _ = _json_of_glb(tmp_path / name)
        assert tree["materials"][0]["doubleSided"]


@pytest.fixture(scope="module")
def ply(tmp_path_factory):
    path = tmp_path_factory.mktemp("meshes") / "head.ply"
    write_mesh(path, _bumpy_vertices(), MESH, _ramp_texture())
    return trimesh.load_mesh(path, process=False)


def test_ply_has_colours_normals_and_texture_coordinates(ply):
    expected = (_bumpy_vertices() * [1, -1, -1])[MESH.triangles]
    np.testing.assert_allclose(ply.vertices[ply.faces], expected, atol=1e-6)
    stored = ply.metadata["_ply_raw"]["vertex"]["data"]
    u, v = stored["s"][ply.faces], 1.0 - stored["t"][ply.faces]
    np.testing.assert_allclose(
        np.stack([u, v], -1), MESH.uv[MESH.uv_triangles], atol=1e-6
    )
    normals = np.stack([stored[name] for name in ("nx", "ny", "nz")], -1)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=-1), 1.0, atol=1e-5)
    assert np.all(np.sum(normals * ply.vertices, axis=-1) > 0.0)
    # Red counts columns, green rows, so the bilinear sample is known; see the ramp.
    for name, coordinate in (("red", u), ("green", v)):
        ramp = 4.0 * np.clip(coordinate * SIZE - 0.5, 0.0, SIZE - 1.0)
        colours = stored[name][ply.faces].astype(float)
        np.testing.assert_allclose(colours, ramp, atol=0.51)


def test_usdz_holds_mesh_and_texture(tmp_path):
    from pxr import Usd, UsdGeom, UsdShade, UsdValidation

    path = tmp_path / "a head.usdz"
    write_mesh(path, _bumpy_vertices(), MESH, _ramp_texture())
    assert [each.name for each in tmp_path.iterdir()] == ["a head.usdz"]
    with zipfile.ZipFile(path) as archive:
        stage_name, texture_name = archive.namelist()
        assert stage_name.endswith(".usdc")
        with PIL.Image.open(io.BytesIO(archive.read(texture_name))) as picture:
            np.testing.assert_array_equal(np.asarray(picture), _ramp_texture())

    stage = Usd.Stage.Open(str(path))
    assert UsdGeom.GetStageUpAxis(stage) == UsdGeom.Tokens.y
    root = stage.GetDefaultPrim()
    assert root.GetName() == "a_head"
    mesh = UsdGeom.Mesh(root.GetChild("mesh"))
    corners = np.array(mesh.GetFaceVertexIndicesAttr().Get()).reshape(-1, 3)
    assert set(mesh.GetFaceVertexCountsAttr().Get()) == {3}
    expected = (_bumpy_vertices() * [1, -1, -1])[MESH.triangles]
    points = np.array(mesh.GetPointsAttr().Get())
    np.testing.assert_allclose(points[corners], expected, atol=1e-6)
    uv = np.array(UsdGeom.PrimvarsAPI(mesh).GetPrimvar("st").Get())[corners]
    np.testing.assert_allclose(
        uv * [1, -1] + [0, 1], MESH.uv[MESH.uv_triangles], atol=1e-6
    )
    normals = np.array(mesh.GetNormalsAttr().Get())
    assert np.all(np.sum(normals * points, axis=-1) > 0.0)
    assert mesh.GetSubdivisionSchemeAttr().Get() == "none"
    assert not mesh.GetDoubleSidedAttr().Get()

    material, _ = UsdShade.MaterialBindingAPI(mesh).ComputeBoundMaterial()
    surface, _, _ = material.ComputeSurfaceSource()
    assert surface.GetIdAttr().Get() == "UsdPreviewSurface"
    source = surface.GetInput("diffuseColor").GetConnectedSources()[0][0]
    texture = UsdShade.Shader(source.source)
    assert texture_name in str(texture.GetInput("file").Get())
    assert texture.GetInput("wrapS").Get() == "clamp"
    validators = UsdValidation.ValidationRegistry().GetOrLoadAllValidators()
    assert len(validators) > 10
    faults = UsdValidation.ValidationContext(validators).Validate(stage)
    assert [fault.GetMessage() for fault in faults] == []


def test_open_usdz_is_seen_from_both_sides(tmp_path):
    from pxr import Usd, UsdGeom

    write_mesh(tmp_path / "open.usdz", OPEN_VERTICES, OPEN, _ramp_texture())
    stage = Usd.Stage.Open(str(tmp_path / "open.usdz"))
    mesh = UsdGeom.Mesh(stage.GetDefaultPrim().GetChild("mesh"))
    assert mesh.GetDoubleSidedAttr().Get()


def test_usdz_without_usd_names_the_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pxr", None)
    with pytest.raises(UserError, match=r"usd-core.*tf-unsup3d\[usd\]"):
        write_mesh(tmp_path / "a.usdz", _bumpy_vertices(), MESH, _ramp_texture())
    assert not list(tmp_path.iterdir())
