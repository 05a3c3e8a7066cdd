// Registration of RasterizeMesh and RasterizeMeshGrad.

#include "ops/shapes.h"
#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace unsup3d {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;

absl::Status RasterizeMeshShape(InferenceContext* c) {
  SurfaceShapes shapes;
  TF_RETURN_IF_ERROR(CheckSurfaceShapes(c, 0, &shapes));
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
  TF_RETURN_IF_ERROR(CheckSurfaceShapes(c, 5, &shapes));
  c->set_output(0, shapes.vertices);
  return absl::OkStatus();
}

}  // namespace

REGISTER_OP("TfUnsup3d>RasterizeMesh")
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
Finds the layers of the picture that RenderMesh draws, before they are coloured.

The result is a list of fragments, sharp and soft, by ascending pixel. Within a pixel
they are in the order of its layers, from the outermost soft one to the sharp one.

vertices: [batch, vertices, 3], homogeneous pixel coordinates (x z, y z, z).
triangles: [triangles, 3], indices into the vertices.
neighbors: [triangles, 3], the triangle across the edge opposite to each corner, or -1.
height: Height of the pictures in pixels.
width: Width of the pictures in pixels. A picture has at most 2^30 pixels.
pixels: [fragments], flat indices into [batch, height, width].
fragment_triangles: [fragments], the triangle that each fragment lies on.
barycentric: [fragments, 3], the fragment's position on its triangle, in space.
depth: [fragments], the fragment's depth.
weight: [fragments], the share of the pixel that shows the fragment, positive. The rest
  of the pixel shows the background.
triangle_ids: [batch, height, width], the triangle at each pixel centre, -1 for the
  background.
margin: Width in pixels of the soft layer along silhouettes; 0 switches it off.
depth_push: How far the soft layer recedes over its width, relative to its depth.
cull_backfaces: Whether only front-facing triangles are drawn, those whose corners run
  counter-clockwise in the picture.
)doc");

REGISTER_OP("TfUnsup3d>RasterizeMeshGrad")
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
Computes the derivative of RasterizeMesh with respect to the vertices.

It takes the derivatives with respect to the real outputs of RasterizeMesh, its outputs
pixels and triangle_ids, and its inputs and attributes.
)doc");

}  // namespace unsup3d
