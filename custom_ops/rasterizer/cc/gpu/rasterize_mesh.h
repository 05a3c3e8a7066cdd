// The launchers of RasterizeMesh and RasterizeMeshGrad, see interface.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RASTERIZE_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RASTERIZE_MESH_H_

#include <cstdint>
#include <functional>

#include "core/fragment_list_gradient.h"
#include "core/picture_inputs.h"
#include "gpu/interface.h"

namespace unsup3d {

// The arrays of a fragment list, see core/fragment_list.h.
template <typename T>
struct FragmentList {
  int64_t* pixels;  // counted through the batch
  int* triangles;
  T *barycentric, *depth, *weight;  // [fragments, 3], [fragments], [fragments]
};

// Allocates the arrays for a number of fragments. Returns whether there was enough
// memory.
template <typename T>
using AllocateFragments = std::function<bool(int64_t count, FragmentList<T>* list)>;

// Writes `ids` [size, height, width] and the fragment list, for which it calls
// `allocate` once the number of fragments is known.
template <typename T>
GpuStatus RasterizeMeshOnGpu(const Batch<Surface<T>>& batch, const Options& options,
                             GpuStream stream, GpuAllocator* allocator,
                             const AllocateFragments<T>& allocate, int* ids);

// Writes `vertex_gradients` [size, vertices, 3], given `ids` and the derivative with
// respect to the whole list.
template <typename T>
GpuStatus RasterizeMeshGradOnGpu(const Batch<Surface<T>>& batch, const Options& options,
                                 const FragmentListGradient<T>& gradients,
                                 const int* ids, GpuStream stream,
                                 GpuAllocator* allocator, T* vertex_gradients);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RASTERIZE_MESH_H_
