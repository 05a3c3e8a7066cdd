// RasterizeMesh and RasterizeMeshGrad on a GPU, see gpu_interface.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RASTERIZE_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RASTERIZE_MESH_H_

#include <cstdint>
#include <functional>

#include "gpu/interface.h"
#include "core/fragment_list_gradient.h"
#include "core/scene.h"

namespace unsup3d {

// A list of fragments, see fragment_list.h.
template <typename T>
struct FragmentArrays {
  int64_t* pixels;  // counted through the batch
  int* triangles;
  T *barycentric, *depth, *weight;  // [fragments, 3], [fragments], [fragments]
};

// Makes arrays for a number of fragments. Returns whether there was memory for them.
template <typename T>
using AllocateFragments = std::function<bool(int64_t count, FragmentArrays<T>* list)>;

// Writes `ids` [size, height, width] and the list of fragments, once it is known how
// many there are.
template <typename T>
GpuStatus ListOnGpu(const Batch<Surface<T>>& batch, const Options& options,
                    GpuStream stream, GpuAllocator* allocator,
                    const AllocateFragments<T>& allocate, int* ids);

// Writes `vertex_gradients` [size, vertices, 3], given `ids` and the whole list.
template <typename T>
GpuStatus DifferentiateListOnGpu(const Batch<Surface<T>>& batch, const Options& options,
                                 const FragmentGradients<T>& gradients, const int* ids,
                                 GpuStream stream, GpuAllocator* allocator,
                                 T* vertex_gradients);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RASTERIZE_MESH_H_
