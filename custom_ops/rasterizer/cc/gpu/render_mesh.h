// RenderMesh and RenderMeshGrad on a GPU, see gpu_interface.h.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RENDER_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RENDER_MESH_H_

#include "gpu/interface.h"
#include "core/scene.h"

namespace unsup3d {

// The gradients with respect to a batch. Without `uv`, that one is not wanted.
template <typename T>
struct BatchGradients {
  T *vertices, *uv, *texture, *attributes, *background;
};

// Writes `picture` [size, height, width, channels] and `ids` [size, height, width].
template <typename T>
GpuStatus DrawOnGpu(const Batch<Scene<T>>& batch, const Options& options,
                    GpuStream stream, GpuAllocator* allocator, T* picture, int* ids);

// Writes `gradients`, given `ids` and the derivative with respect to the picture.
template <typename T>
GpuStatus DifferentiateOnGpu(const Batch<Scene<T>>& batch, const Options& options,
                             const T* picture_gradient, const int* ids,
                             GpuStream stream, GpuAllocator* allocator,
                             const BatchGradients<T>& gradients);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_RENDER_MESH_H_
