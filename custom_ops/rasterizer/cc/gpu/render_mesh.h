// The launchers of RenderMesh and RenderMeshGrad, see interface.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RENDER_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RENDER_MESH_H_

#include "core/picture_inputs.h"
#include "gpu/interface.h"

namespace unsup3d {

// The gradients with respect to the inputs of a batch. `uv` is null if that one is not
// wanted.
template <typename T>
struct RenderMeshGradients {
  T *vertices, *uv, *texture, *attributes, *background;
};

// Writes `picture` [size, height, width, channels] and `ids` [size, height, width].
template <typename T>
GpuStatus RenderMeshOnGpu(const Batch<PictureInputs<T>>& batch, const Options& options,
                          GpuStream stream, GpuAllocator* allocator, T* picture,
                          int* ids);

// Writes `gradients`, given the derivative with respect to the picture and its `ids`.
template <typename T>
GpuStatus RenderMeshGradOnGpu(const Batch<PictureInputs<T>>& batch,
                              const Options& options, const T* picture_gradient,
                              const int* ids, GpuStream stream, GpuAllocator* allocator,
                              const RenderMeshGradients<T>& gradients);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RENDER_MESH_H_
