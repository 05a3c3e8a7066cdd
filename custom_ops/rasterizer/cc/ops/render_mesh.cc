// Registration of the rasteriser's ops: inputs, outputs, attributes and shapes.

#include "tensorflow/core/framework/common_shape_fns.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace unsup3d {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// What is known of the inputs that all ops share, from `first` on.
struct SurfaceShapes {
  ShapeHandle vertices, triangles, neighbors;
};

absl::Status CheckSurface(InferenceContext* c, int first, SurfaceShapes* shapes) {
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first), 3, &shapes->vertices));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 1), 2, &shapes->triangles));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 2), 2, &shapes->neighbors));
  DimensionHandle dim;
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(shapes->vertices, 2), 3, &dim));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(shapes->triangles, 1), 3, &dim));
  ShapeHandle merged;
  return c->Merge(shapes->triangles, shapes->neighbors, &merged);
}

// And of what the ops that draw have besides.
struct InputShapes : SurfaceShapes {
  ShapeHandle uv, uv_triangles, texture, attributes, background;
};

absl::Status CheckInputs(InferenceContext* c, int first, InputShapes* shapes) {
  TF_RETURN_IF_ERROR(CheckSurface(c, first, shapes));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 3), 2, &shapes->uv));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 4), 2, &shapes->uv_triangles));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 5), 4, &shapes->texture));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 6), 3, &shapes->attributes));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 7), 4, &shapes->background));

  DimensionHandle dim;
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(shapes->uv, 1), 2, &dim));
  ShapeHandle merged;
  TF_RETURN_IF_ERROR(c->Merge(shapes->triangles, shapes->uv_triangles, &merged));

  DimensionHandle batch = c->Dim(shapes->vertices, 0);
  TF_RETURN_IF_ERROR(c->Merge(batch, c->Dim(shapes->texture, 0), &batch));
  TF_RETURN_IF_ERROR(c->Merge(batch, c->Dim(shapes->attributes, 0), &batch));
  TF_RETURN_IF_ERROR(c->Merge(batch, c->Dim(shapes->background, 0), &batch));
  TF_RETURN_IF_ERROR(c->Merge(c->Dim(shapes->vertices, 1),
                              c->Dim(shapes->attributes, 1), &dim));
  DimensionHandle channels;
  TF_RETURN_IF_ERROR(c->Add(c->Dim(shapes->texture, 3),
                            c->Dim(shapes->attributes, 2), &channels));
  TF_RETURN_IF_ERROR(
      c->Merge(channels, c->Dim(shapes->background, 3), &channels));
  TF_RETURN_IF_ERROR(
      c->ReplaceDim(shapes->background, 0, batch, &shapes->background));
  return c->ReplaceDim(shapes->background, 3, channels, &shapes->background);
}

ShapeHandle TriangleIdsShape(InferenceContext* c, const InputShapes& shapes) {
  return c->MakeShape({c->Dim(shapes.background, 0), c->Dim(shapes.background, 1),
                       c->Dim(shapes.background, 2)});
}

absl::Status TransformPointsShape(InferenceContext* c) {
  ShapeHandle points, matrices;
  TF_RETURN_IF_ERROR(c->WithRank(c->input(0), 3, &points));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(1), 3, &matrices));
  DimensionHandle dim;
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(points, 2), 3, &dim));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(matrices, 1), 3, &dim));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(matrices, 2), 4, &dim));
  c->set_output(0, points);
  return absl::OkStatus();
}

absl::Status RenderMeshShape(InferenceContext* c) {
  InputShapes shapes;
  TF_RETURN_IF_ERROR(CheckInputs(c, 0, &shapes));
  c->set_output(0, shapes.background);
  c->set_output(1, TriangleIdsShape(c, shapes));
  return absl::OkStatus();
}

absl::Status RenderMeshGradShape(InferenceContext* c) {
  InputShapes shapes;
  TF_RETURN_IF_ERROR(CheckInputs(c, 2, &shapes));
  ShapeHandle merged;
  TF_RETURN_IF_ERROR(c->Merge(c->input(0), shapes.background, &merged));
  TF_RETURN_IF_ERROR(c->Merge(c->input(1), TriangleIdsShape(c, shapes), &merged));
  c->set_output(0, shapes.vertices);
  bool wants_uv;
  TF_RETURN_IF_ERROR(c->GetAttr("wants_uv", &wants_uv));
  c->set_output(1, wants_uv ? shapes.uv : c->Matrix(0, 2));
  c->set_output(2, shapes.texture);
  c->set_output(3, shapes.attributes);
  c->set_output(4, shapes.background);
  return absl::OkStatus();
}

absl::Status RasterizeMeshShape(InferenceContext* c) {
  SurfaceShapes shapes;
  TF_RETURN_IF_ERROR(CheckSurface(c, 0, &shapes));
  DimensionHandle height, width;
  TF_RETURN_IF_ERROR(c->MakeDimForScalarInput(3, &height));
  TF_RETURN_IF_ERROR(c->MakeDimForScalarInput(4, &width));
  const DimensionHandle count = c->UnknownDim();
  for (const int k : {0, 1, 3, 4}) c->set_output(k, c->Vector(count));
  c->set_output(2, c->Matrix(count, 3));
  c->set_output(5, c->MakeShape({c->Dim(shapes.vertices, 0), height, width}));
  return absl::OkStatus();
}

absl::Status RasterizeMeshGradShape(InferenceContext* c) {
  SurfaceShapes shapes;
  TF_RETURN_IF_ERROR(CheckSurface(c, 5, &shapes));
  c->set_output(0, shapes.vertices);
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("TransformPoints")
    .Input("points: T")
    .Input("matrices: T")
    .Output("transformed: T")
    .Attr("T: {float, double}")
    .SetShapeFn(TransformPointsShape)
    .Doc(R"doc(
Maps points by affine maps, those of a rotation or a camera.

points: [B, N, 3].
matrices: [B, 3, 4], or [1, 3, 4] for all: (A b), which maps p to A p + b.
transformed: [B, N, 3].
)doc");

REGISTER_OP("RenderMesh")
    .Input("vertices: T")
    .Input("triangles: int32")
    .Input("neighbors: int32")
    .Input("uv: T")
    .Input("uv_triangles: int32")
    .Input("texture: T")
    .Input("attributes: T")
    .Input("background: T")
    .Output("picture: T")
    .Output("triangle_ids: int32")
    .Attr("T: {float, double}")
    .Attr("margin: float = 1.0")
    .Attr("depth_push: float = 0.02")
    .Attr("cull_backfaces: bool = true")
    .SetShapeFn(RenderMeshShape)
    .Doc(R"doc(
Draws a textured triangle mesh, continuously in its vertices.

vertices: [B, V, 3], homogeneous pixel coordinates (x z, y z, z).
triangles: [F, 3], indices into the vertices.
neighbors: [F, 3], the triangle across the edge opposite to each corner, or -1.
uv: [U, 2], texture coordinates in [0, 1], origin at the top left.
uv_triangles: [F, 3], for each corner an index into uv.
texture: [B, Ht, Wt, Ct].
attributes: [B, V, Ca], interpolated from the vertices.
background: [B, H, W, Ct + Ca].
picture: [B, H, W, Ct + Ca].
triangle_ids: [B, H, W], the triangle at each pixel centre, -1 for the background.
margin: width in pixels of the soft layer along silhouettes; 0 switches it off.
depth_push: how far, relative to its depth, the soft layer recedes over its width.
cull_backfaces: whether only triangles that turn counter-clockwise are drawn.
)doc");

REGISTER_OP("RenderMeshGrad")
    .Input("picture_gradient: T")
    .Input("triangle_ids: int32")
    .Input("vertices: T")
    .Input("triangles: int32")
    .Input("neighbors: int32")
    .Input("uv: T")
    .Input("uv_triangles: int32")
    .Input("texture: T")
    .Input("attributes: T")
    .Input("background: T")
    .Output("vertices_gradient: T")
    .Output("uv_gradient: T")
    .Output("texture_gradient: T")
    .Output("attributes_gradient: T")
    .Output("background_gradient: T")
    .Attr("T: {float, double}")
    .Attr("margin: float = 1.0")
    .Attr("depth_push: float = 0.02")
    .Attr("cull_backfaces: bool = true")
    .Attr("wants_uv: bool = true")
    .SetShapeFn(RenderMeshGradShape)
    .Doc(R"doc(
The derivative of RenderMesh: its inputs, its triangle_ids and the derivative with
respect to its picture give the derivatives with respect to its real inputs.

wants_uv: whether the derivative with respect to uv is wanted; if not, it is [0, 2].
)doc");

REGISTER_OP("RasterizeMesh")
    .Input("vertices: T")
    .Input("triangles: int32")
    .Input("neighbors: int32")
    .Input("height: int32")
    .Input("width: int32")
    .Output("pixels: int64")
    .Output("fragment_triangles: int32")
    .Output("barycentric: T")
    .Output("depth: T")
    .Output("weight: T")
    .Output("triangle_ids: int32")
    .Attr("T: {float, double}")
    .Attr("margin: float = 1.0")
    .Attr("depth_push: float = 0.02")
    .Attr("cull_backfaces: bool = true")
    .SetShapeFn(RasterizeMeshShape)
    .Doc(R"doc(
The layers of the picture that RenderMesh draws, before they are coloured: a list of N
fragments by ascending pixel, and within a pixel from the outer layer to the sharp one.

vertices: [B, V, 3], homogeneous pixel coordinates (x z, y z, z).
triangles: [F, 3], indices into the vertices.
neighbors: [F, 3], the triangle across the edge opposite to each corner, or -1.
height: of the pictures in pixels.
width: of the pictures in pixels.
pixels: [N], flat indices into [B, height, width].
fragment_triangles: [N], the triangle that the fragment is a point of.
barycentric: [N, 3], the point's place on it, in space.
depth: [N], the point's depth.
weight: [N], the part of the pixel that shows the fragment, positive. The rest of the
  pixel shows the background.
triangle_ids: [B, height, width], the triangle at each pixel centre, -1 for the
  background.
margin: width in pixels of the soft layer along silhouettes; 0 switches it off.
depth_push: how far, relative to its depth, the soft layer recedes over its width.
cull_backfaces: whether only triangles that turn counter-clockwise are drawn.
)doc");

REGISTER_OP("RasterizeMeshGrad")
    .Input("barycentric_gradient: T")
    .Input("depth_gradient: T")
    .Input("weight_gradient: T")
    .Input("pixels: int64")
    .Input("triangle_ids: int32")
    .Input("vertices: T")
    .Input("triangles: int32")
    .Input("neighbors: int32")
    .Output("vertices_gradient: T")
    .Attr("T: {float, double}")
    .Attr("margin: float = 1.0")
    .Attr("depth_push: float = 0.02")
    .Attr("cull_backfaces: bool = true")
    .SetShapeFn(RasterizeMeshGradShape)
    .Doc(R"doc(
The derivative of RasterizeMesh: those with respect to its real outputs, its pixels and
triangle_ids and its inputs give that with respect to the vertices.
)doc");

}  // namespace unsup3d
