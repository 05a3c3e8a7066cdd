// Registration of RenderMesh and RenderMeshGrad.

#include "ops/shapes.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace unsup3d {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

// The shapes of the inputs that RenderMesh and RenderMeshGrad share.
struct PictureInputShapes : SurfaceShapes {
  ShapeHandle uv, uv_triangles, texture, attributes, background;
};

// Checks the shapes of these inputs, of which `first` is the first one.
absl::Status CheckPictureInputShapes(InferenceContext* c, int first,
                                     PictureInputShapes* shapes) {
  TF_RETURN_IF_ERROR(CheckSurfaceShapes(c, first, shapes));
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
  TF_RETURN_IF_ERROR(
      c->Merge(c->Dim(shapes->vertices, 1), c->Dim(shapes->attributes, 1), &dim));
  DimensionHandle channels;
  TF_RETURN_IF_ERROR(
      c->Add(c->Dim(shapes->texture, 3), c->Dim(shapes->attributes, 2), &channels));
  TF_RETURN_IF_ERROR(c->Merge(channels, c->Dim(shapes->background, 3), &channels));
  TF_RETURN_IF_ERROR(c->ReplaceDim(shapes->background, 0, batch, &shapes->background));
  return c->ReplaceDim(shapes->background, 3, channels, &shapes->background);
}

ShapeHandle TriangleIdsShape(InferenceContext* c, const PictureInputShapes& shapes) {
  return c->MakeShape({c->Dim(shapes.background, 0), c->Dim(shapes.background, 1),
                       c->Dim(shapes.background, 2)});
}

absl::Status RenderMeshShape(InferenceContext* c) {
  PictureInputShapes shapes;
  TF_RETURN_IF_ERROR(CheckPictureInputShapes(c, 0, &shapes));
  c->set_output(0, shapes.background);
  c->set_output(1, TriangleIdsShape(c, shapes));
  return absl::OkStatus();
}

absl::Status RenderMeshGradShape(InferenceContext* c) {
  PictureInputShapes shapes;
  TF_RETURN_IF_ERROR(CheckPictureInputShapes(c, 2, &shapes));
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

}  // namespace

REGISTER_OP("TfUnsup3d>RenderMesh")
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
    .Attr("mipmaps: int = 0")
    .SetShapeFn(RenderMeshShape)
    .Doc(R"doc(
Draws a textured triangle mesh. A soft layer along silhouettes makes the picture
differentiable with respect to the vertices there, too.

vertices: [batch, vertices, 3], homogeneous pixel coordinates (x z, y z, z).
triangles: [triangles, 3], indices into the vertices.
neighbors: [triangles, 3], the triangle across the edge opposite to each corner, or -1.
uv: [uvs, 2], texture coordinates in [0, 1], origin at the top left.
uv_triangles: [triangles, 3], for each corner an index into uv.
texture: [batch, texture_height, texture_width, texture_channels], with the mipmaps, if
  it has any, side by side from left to right in texture_height / 2 more rows below.
attributes: [batch, vertices, attribute_channels], interpolated between the vertices.
background: [batch, height, width, texture_channels + attribute_channels]. A picture has
  at most 2^30 pixels.
picture: [batch, height, width, texture_channels + attribute_channels].
triangle_ids: [batch, height, width], the triangle at each pixel centre, -1 for the
  background.
margin: Width in pixels of the soft layer along silhouettes; 0 switches it off.
depth_push: How far the soft layer recedes over its width, relative to its depth.
cull_backfaces: Whether only front-facing triangles are drawn, those whose corners run
  counter-clockwise in the picture.
mipmaps: Number of mipmaps that the texture holds, each half as high and wide as the one
  before; it is sampled trilinearly where they are.
)doc");

REGISTER_OP("TfUnsup3d>RenderMeshGrad")
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
    .Attr("mipmaps: int = 0")
    .Attr("wants_uv: bool = true")
    .SetShapeFn(RenderMeshGradShape)
    .Doc(R"doc(
Computes the derivative of RenderMesh with respect to its real inputs.

It takes the derivative with respect to the picture, the triangle_ids that RenderMesh
returned, and its inputs and attributes.

uv_gradient: [uvs, 2], or [0, 2] if it is not wanted.
wants_uv: Whether the derivative with respect to uv is wanted.
)doc");

}  // namespace unsup3d
