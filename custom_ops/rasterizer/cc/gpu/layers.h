// The layers of the pictures of a batch on a GPU, before they are coloured: the sharp
// surface that each pixel shows, and the soft fragments in front of it. This header is
// for CUDA sources.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAYERS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAYERS_H_

#include <cstdint>

#include "core/geometry.h"
#include "core/layer_point.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "gpu/bins.h"
#include "gpu/interface.h"
#include "gpu/launch.h"
#include "gpu/scratch.h"

namespace unsup3d {

constexpr Count kNone = ~Count{0};

// What the kernels report to the host.
struct Findings {
  unsigned invalid_values;
  Count invalid_id_pixel;  // the first pixel with an invalid triangle index, or kNone
  Count soft_fragments;    // number of soft fragments
};

// A batch, and what the kernels have found out about it so far.
template <typename T>
struct GpuLayers {
  Batch<Surface<T>> batch;
  Options options;
  Findings* findings;
  Facing* facings;              // [size, triangles]
  Bins silhouettes;             // the edges that own soft fragments
  Real* depths;                 // [size, height, width], of the sharp layer
  int* soft_fragment_counts;    // [size, height, width]
  Count* first_soft_fragments;  // [size, height, width]
  SoftFragment<Real>* soft_fragments;

  UNSUP3D_HOST_DEVICE int64_t pixels() const {
    return batch.size * batch.first.pixels();
  }
  __device__ MeshView<T> mesh(int64_t picture) const {
    const Surface<T> at = batch.first.Skip(picture);
    return {at.vertices, at.triangles, at.neighbors,
            facings + picture * at.triangle_count};
  }
  __device__ PixelLayers<Real> pixel(int64_t i) const {
    return {soft_fragments + first_soft_fragments[i], soft_fragment_counts[i],
            depths[i], Real(options.depth_push)};
  }
  __device__ Place place(int64_t i, int sharp_triangle) const {
    const int width = batch.first.width;
    const int64_t in_picture = i % batch.first.pixels();
    return {static_cast<int>(in_picture % width) + 0.5,
            static_cast<int>(in_picture / width) + 0.5, sharp_triangle};
  }
};

// The layers are found in three steps: PlaceMesh, then one of the two functions for the
// sharp layer, then GatherSoftFragments.

// Checks the values of a surface, and finds the facings of triangles.
template <typename T>
GpuStatus PlaceMesh(const Batch<Surface<T>>& batch, const Options& options,
                    cudaStream_t stream, Scratch* scratch, GpuLayers<T>* layers);

// Check further values. These must be called before GatherSoftFragments.
void CheckIndices(const int* indices, int64_t count, int64_t lowest, int64_t end,
                  Findings* findings, cudaStream_t stream);

template <typename T>
void CheckFinite(const T* values, int64_t count, Findings* findings,
                 cudaStream_t stream);

// Draws the sharp layer, see DrawSharp in core/sharp_layer.h.
template <typename T>
GpuStatus DrawSharpOnGpu(const GpuLayers<T>& layers, cudaStream_t stream,
                         Scratch* scratch, int* ids);

// Finds the depths of the triangles `ids`, see FindDepths in core/sharp_layer.h.
template <typename T>
void FindDepthsOnGpu(const GpuLayers<T>& layers, const int* ids, cudaStream_t stream);

// Gathers the soft fragments that the sharp layer does not hide, and reports the
// findings. Invalid triangle indices count as the background.
template <typename T>
GpuStatus GatherSoftFragments(cudaStream_t stream, Scratch* scratch,
                              GpuLayers<T>* layers, Findings* findings);

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_LAYERS_H_
