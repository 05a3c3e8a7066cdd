// The GPU kernels in emulation, see cuda_emulation.h, for callers from Python: C
// functions, to be compiled together with rasterize_gpu.cu.cc by a C++ compiler.

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include "cuda_emulation.h"
#include "rasterize_gpu.h"

namespace {

using unsup3d::Batch;
using unsup3d::BatchGradients;
using unsup3d::GpuStatus;
using unsup3d::Options;

// Arrays of T, float or double, and their sizes.
struct Arguments {
  const void *vertices, *uv, *texture, *attributes, *background;
  const int *triangles, *neighbors, *uv_triangles;
  int64_t batch, vertex_count, uv_count;
  int triangle_count, height, width, texture_height, texture_width,
      texture_channels, attribute_channels;
  Options options;
};

template <typename T>
Batch<T> MakeBatch(const Arguments& in) {
  const auto array = [](const void* values) { return static_cast<const T*>(values); };
  const unsup3d::Surface<T> surface = {
      array(in.vertices), in.triangles,      in.neighbors, in.vertex_count,
      in.triangle_count,  in.height,         in.width};
  const unsup3d::Material<T> material = {
      in.triangles,         in.uv_triangles,  array(in.uv),
      array(in.texture),    array(in.attributes), in.texture_height,
      in.texture_width,     in.texture_channels,  in.attribute_channels};
  return {{surface, material, array(in.background), in.uv_count,
           in.texture_channels + in.attribute_channels},
          in.batch};
}

// Memory full of numbers that make no sense, like that of a GPU.
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
int Draw(const Arguments& in, T* picture, int* ids) {
  Allocator allocator;
  return unsup3d::DrawOnGpu(MakeBatch<T>(in), in.options, nullptr, &allocator,
                            picture, ids)
      .code;
}

template <typename T>
int Differentiate(const Arguments& in, const T* picture_gradient, const int* ids,
                      const BatchGradients<T>& gradients, int64_t* pixel) {
  Allocator allocator;
  const GpuStatus status =
      unsup3d::DifferentiateOnGpu(MakeBatch<T>(in), in.options, picture_gradient, ids,
                                  nullptr, &allocator, gradients);
  *pixel = status.pixel;
  return status.code;
}

}  // namespace

extern "C" {

void set_descending_order(int descending) {
  unsup3d::emulate_descending = descending != 0;
}

int draw_float32(const Arguments* in, float* picture, int* ids) {
  return Draw(*in, picture, ids);
}

int draw_float64(const Arguments* in, double* picture, int* ids) {
  return Draw(*in, picture, ids);
}

int differentiate_float32(const Arguments* in, const float* picture_gradient,
                          const int* ids, const BatchGradients<float>* gradients,
                          int64_t* pixel) {
  return Differentiate(*in, picture_gradient, ids, *gradients, pixel);
}

int differentiate_float64(const Arguments* in, const double* picture_gradient,
                          const int* ids, const BatchGradients<double>* gradients,
                          int64_t* pixel) {
  return Differentiate(*in, picture_gradient, ids, *gradients, pixel);
}

}  // extern "C"
