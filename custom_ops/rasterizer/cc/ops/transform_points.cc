// Registration of TransformPoints.

#include "tensorflow/core/framework/op.h"
#include "tensorflow/core/framework/shape_inference.h"

namespace unsup3d {
namespace {

using tensorflow::shape_inference::DimensionHandle;
using tensorflow::shape_inference::InferenceContext;
using tensorflow::shape_inference::ShapeHandle;

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

}  // namespace

REGISTER_OP("TfUnsup3d>TransformPoints")
    .Input("points: T")
    .Input("matrices: T")
    .Output("transformed: T")
    .Attr("T: {float, double}")
    .SetShapeFn(TransformPointsShape)
    .Doc(R"doc(
Transforms points by affine maps, such as rotations or camera projections.

points: [batch, points, 3].
matrices: [batch, 3, 4], or [1, 3, 4] for all pictures: the matrix (A b) maps a point p
  to A p + b.
transformed: [batch, points, 3].
)doc");

}  // namespace unsup3d
