// Shape checks that the shape functions of several ops share.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_SHAPES_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_SHAPES_H_

#include "tensorflow/core/framework/shape_inference.h"

namespace unsup3d {

// The shapes of the inputs that describe a surface.
struct SurfaceShapes {
  tensorflow::shape_inference::ShapeHandle vertices, triangles, neighbors;
};

// Checks the shapes of the surface's inputs, of which `first` is the first one.
inline absl::Status CheckSurfaceShapes(tensorflow::shape_inference::InferenceContext* c,
                                       int first, SurfaceShapes* shapes) {
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first), 3, &shapes->vertices));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 1), 2, &shapes->triangles));
  TF_RETURN_IF_ERROR(c->WithRank(c->input(first + 2), 2, &shapes->neighbors));
  tensorflow::shape_inference::DimensionHandle dim;
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(shapes->vertices, 2), 3, &dim));
  TF_RETURN_IF_ERROR(c->WithValue(c->Dim(shapes->triangles, 1), 3, &dim));
  tensorflow::shape_inference::ShapeHandle merged;
  return c->Merge(shapes->triangles, shapes->neighbors, &merged);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_OPS_SHAPES_H_
