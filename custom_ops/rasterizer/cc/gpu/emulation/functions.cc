// C functions that run the launchers of the CUDA kernels in emulation, see cuda.h, for
// callers from Python. A C++ compiler compiles them together with the CUDA sources.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "gpu/emulation/cuda.h"
#include "gpu/rasterize_mesh.h"
#include "gpu/render_mesh.h"
#include "gpu/scan.h"
#include "gpu/scratch.h"
#include "gpu/transform_points.h"

namespace {

using unsup3d::AffineMaps;
using unsup3d::Batch;
using unsup3d::FragmentList;
using unsup3d::FragmentListGradient;
using unsup3d::GpuStatus;
using unsup3d::Options;
using unsup3d::PictureInputs;
using unsup3d::RenderMeshGradients;
using unsup3d::Surface;

// The arrays of a batch of pictures and their sizes, without mipmaps. Real arrays are
// of float or double.
struct Arguments {
  const void *vertices, *uv, *texture, *attributes, *background;
  const int *triangles, *neighbors, *uv_triangles;
  int64_t batch, vertex_count, uv_count;
  int triangle_count, height, width, texture_height, texture_width, texture_channels,
      attribute_channels;
  Options options;
};

template <typename T>
Batch<PictureInputs<T>> MakeBatch(const Arguments& in) {
  const auto array = [](const void* values) { return static_cast<const T*>(values); };
  const unsup3d::Surface<T> surface = {
      array(in.vertices), in.triangles, in.neighbors, in.vertex_count,
      in.triangle_count,  in.height,    in.width};
  const unsup3d::Material<T> material = {
      in.triangles,         in.uv_triangles,
      array(in.uv),         array(in.texture),
      array(in.attributes), {in.texture_height, in.texture_width, 0},
      in.texture_channels,  in.attribute_channels};
  return {{surface, material, array(in.background), in.uv_count,
           in.texture_channels + in.attribute_channels},
          in.batch};
}

// Returns memory filled with garbage, like that of a GPU.
class Allocator : public unsup3d::GpuAllocator {
 public:
  void* Allocate(int64_t bytes) override {
    blocks_.emplace_back(std::malloc(bytes), &std::free);
    return std::memset(blocks_.back().get(), 0xa5, bytes);
  }

 private:
  std::vector<std::unique_ptr<void, decltype(&std::free)>> blocks_;
};

template <typename T>
Batch<Surface<T>> MakeSurfaces(const Arguments& in) {
  return {MakeBatch<T>(in).first, in.batch};
}

template <typename T>
int RenderMesh(const Arguments& in, T* picture, int* ids) {
  Allocator allocator;
  return unsup3d::RenderMeshOnGpu(MakeBatch<T>(in), in.options, nullptr, &allocator,
                                  picture, ids)
      .code;
}

template <typename T>
int RenderMeshGrad(const Arguments& in, const T* picture_gradient, const int* ids,
                   const RenderMeshGradients<T>& gradients, int64_t* pixel) {
  Allocator allocator;
  const GpuStatus status =
      unsup3d::RenderMeshGradOnGpu(MakeBatch<T>(in), in.options, picture_gradient, ids,
                                   nullptr, &allocator, gradients);
  *pixel = status.pixel;
  return status.code;
}

template <typename T>
using Allocate = bool (*)(int64_t count, FragmentList<T>* list);

template <typename T>
int RasterizeMesh(const Arguments& in, Allocate<T> allocate, int* ids) {
  Allocator allocator;
  return unsup3d::RasterizeMeshOnGpu<T>(MakeSurfaces<T>(in), in.options, nullptr,
                                        &allocator, allocate, ids)
      .code;
}

template <typename T>
int RasterizeMeshGrad(const Arguments& in, const FragmentListGradient<T>& gradients,
                      const int* ids, T* vertex_gradients, int64_t* pixel) {
  Allocator allocator;
  const GpuStatus status =
      unsup3d::RasterizeMeshGradOnGpu(MakeSurfaces<T>(in), in.options, gradients, ids,
                                      nullptr, &allocator, vertex_gradients);
  *pixel = status.pixel;
  return status.code;
}

}  // namespace

extern "C" {

void set_descending_order(int descending) {
  unsup3d::emulate_descending = descending != 0;
}

int render_mesh_float32(const Arguments* in, float* picture, int* ids) {
  return RenderMesh(*in, picture, ids);
}

int render_mesh_float64(const Arguments* in, double* picture, int* ids) {
  return RenderMesh(*in, picture, ids);
}

int render_mesh_grad_float32(const Arguments* in, const float* picture_gradient,
                             const int* ids,
                             const RenderMeshGradients<float>* gradients,
                             int64_t* pixel) {
  return RenderMeshGrad(*in, picture_gradient, ids, *gradients, pixel);
}

int render_mesh_grad_float64(const Arguments* in, const double* picture_gradient,
                             const int* ids,
                             const RenderMeshGradients<double>* gradients,
                             int64_t* pixel) {
  return RenderMeshGrad(*in, picture_gradient, ids, *gradients, pixel);
}

int rasterize_mesh_float32(const Arguments* in, Allocate<float> allocate, int* ids) {
  return RasterizeMesh(*in, allocate, ids);
}

int rasterize_mesh_float64(const Arguments* in, Allocate<double> allocate, int* ids) {
  return RasterizeMesh(*in, allocate, ids);
}

int rasterize_mesh_grad_float32(const Arguments* in,
                                const FragmentListGradient<float>* gradients,
                                const int* ids, float* vertex_gradients,
                                int64_t* pixel) {
  return RasterizeMeshGrad(*in, *gradients, ids, vertex_gradients, pixel);
}

int rasterize_mesh_grad_float64(const Arguments* in,
                                const FragmentListGradient<double>* gradients,
                                const int* ids, double* vertex_gradients,
                                int64_t* pixel) {
  return RasterizeMeshGrad(*in, *gradients, ids, vertex_gradients, pixel);
}

int transform_points_float32(const AffineMaps<float>* maps, float* result) {
  return unsup3d::TransformPointsOnGpu(*maps, nullptr, result).code;
}

int transform_points_float64(const AffineMaps<double>* maps, double* result) {
  return unsup3d::TransformPointsOnGpu(*maps, nullptr, result).code;
}

void scan(int64_t count, uint64_t* values) {
  Allocator allocator;
  unsup3d::Scratch scratch(&allocator);
  unsup3d::ScanOnGpu(count, values, &scratch, nullptr);
}

}  // extern "C"
