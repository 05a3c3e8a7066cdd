// What GPU kernels know of the pictures of a batch before they are coloured: the
// surface that each pixel shows, and the fragments before it. For CUDA sources.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAYERS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAYERS_H_

#include <cstdint>

#include "core/pixel_layers.h"
#include "core/geometry.h"
#include "gpu/interface.h"
#include "gpu/launch.h"
#include "gpu/scratch.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/pixel_range.h"
#include "core/scene.h"

namespace unsup3d {

using Count = unsigned long long;  // what CUDA's atomics take

constexpr Count kNone = ~Count{0};

// What the host is to know.
struct Findings {
  unsigned invalid_values;
  Count invalid_id_pixel;  // the first one with a wrong triangle index, or kNone
  Count fragments;
};

// A batch on its way through the kernels, and what they know of it.
template <typename T>
struct GpuLayers {
  Batch<Surface<T>> batch;
  Options options;
  Findings* findings;
  Facing* facings;         // [size, triangles]
  Footprint* triangles;    // [size, triangles]
  Footprint* silhouettes;  // [size, triangles, 3]
  Real* depths;            // [size, height, width], of the sharp layer
  int* fragment_counts;    // [size, height, width]
  Count* first_fragments;  // [size, height, width]
  Fragment<Real>* fragments;

  UNSUP3D_HOST_DEVICE int64_t pixels() const {
    return batch.size * batch.first.pixels();
  }
  __device__ MeshView<T> mesh(int64_t picture) const {
    const Surface<T> at = batch.first.Skip(picture);
    return {at.vertices, at.triangles, at.neighbors,
            facings + picture * at.triangle_count};
  }
  __device__ Pixel<Real> pixel(int64_t i) const {
    return {fragments + first_fragments[i], fragment_counts[i], depths[i],
            Real(options.depth_push)};
  }
  __device__ Place place(int64_t i, int sharp_triangle) const {
    const int width = batch.first.width;
    const int64_t in_picture = i % batch.first.pixels();
    return {static_cast<int>(in_picture % width) + 0.5,
            static_cast<int>(in_picture / width) + 0.5, sharp_triangle};
  }
};

// The layers are found by PlaceMesh, one of the two functions for the sharp layer and
// GatherFragments, one after another.

// Checks the values of a surface, and finds where triangles and silhouettes are.
template <typename T>
GpuStatus PlaceMesh(const Batch<Surface<T>>& batch, const Options& options,
                    cudaStream_t stream, Scratch* scratch, GpuLayers<T>* layers);

// Further values can be checked until the fragments are gathered.
void CheckIndices(const int* indices, int64_t count, int64_t lowest, int64_t end,
                  Findings* findings, cudaStream_t stream);

template <typename T>
void CheckFinite(const T* values, int64_t count, Findings* findings,
                 cudaStream_t stream);

// Draws the sharp layer, see DrawSharp in sharp_layer.h.
template <typename T>
void DrawSharpOnGpu(const GpuLayers<T>& layers, int* ids, cudaStream_t stream);

// Finds the depths that belong to `ids`, see FindDepths in sharp_layer.h.
template <typename T>
void FindDepthsOnGpu(const GpuLayers<T>& layers, const int* ids, cudaStream_t stream);

// Gathers the fragments that the sharp layer does not hide, and tells what was found.
// Wrong triangle indices count as the background.
template <typename T>
GpuStatus GatherFragments(cudaStream_t stream, Scratch* scratch, GpuLayers<T>* layers,
                          Findings* findings);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAYERS_H_
