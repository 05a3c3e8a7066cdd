// CUDA kernels of RenderMesh and RenderMeshGrad.
//
// The functions of a pixel are those of the CPU kernels, and its layers are found in
// sharp_layer.cu.cc and soft_layer.cu.cc, so pictures are the same as on the CPU.
// Gradients are added up in fixed point, see fixed_point.h, for which each pixel is
// differentiated twice. Results therefore do not depend on the order in which threads
// run.

#include "gpu/render_mesh.h"

#include <cstdint>

#include "core/differentiate_layers.h"
#include "core/differentiate_pixel.h"
#include "core/draw_pixel.h"
#include "core/mesh_view.h"
#include "core/picture_inputs.h"
#include "gpu/fixed_point.h"
#include "gpu/launch.h"
#include "gpu/layers.h"

namespace unsup3d {
namespace {

template <typename T>
GpuStatus PlaceTexturedMesh(const Batch<PictureInputs<T>>& batch,
                            const Options& options, cudaStream_t stream,
                            Scratch* scratch, GpuLayers<T>* layers) {
  const PictureInputs<T>& first = batch.first;
  const GpuStatus status =
      PlaceMesh<T>({first, batch.size}, options, stream, scratch, layers);
  if (!status.ok()) return status;
  Findings* const findings = layers->findings;
  CheckIndices(first.material.uv_triangles,
               3 * static_cast<int64_t>(first.triangle_count), 0, first.uv_count,
               findings, stream);
  CheckFinite(first.material.uv, first.uv_count * 2, findings, stream);
  return {};
}

// The number of channels that a thread adds up at once. It is small enough for
// registers.
constexpr int kChannels = 4;

template <typename T>
void DrawPixels(const PictureInputs<T>& first, const GpuLayers<T>& layers,
                const int* ids, T* picture, cudaStream_t stream) {
  ForEach(layers.pixels(), stream, [=] __device__(int64_t i) {
    const int64_t b = i / first.pixels();
    const PictureInputs<T> inputs = first.Skip(b);
    const MeshView<T> mesh = layers.mesh(b);
    for (int begin = 0; begin < inputs.channels; begin += kChannels) {
      Real colour[kChannels] = {};
      DrawPixel(inputs, mesh, layers.pixel(i), layers.place(i, ids[i]),
                first.background + i * first.channels, [&](int channel, Real term) {
        for (int c = 0; c < kChannels; ++c) {
          if (begin + c == channel) colour[c] += term;
        }
      });
      for (int c = 0; c < kChannels; ++c) {
        if (begin + c < inputs.channels) {
          picture[i * inputs.channels + begin + c] = static_cast<T>(colour[c]);
        }
      }
    }
  });
}

// Accumulates the gradients of a picture. It is a sink for DifferentiatePixel.
struct GradientSums : FixedPointPass {
  FixedPointSum *vertices, *uv, *texture, *attributes;
  int texture_channels, attribute_channels;

  __device__ bool wants_uv() const { return uv != nullptr; }
  __device__ FixedPointSum* VertexSums(int64_t vertex) { return vertices + 3 * vertex; }
  __device__ FixedPointSum* UvSums(int64_t index) { return uv + 2 * index; }
  __device__ FixedPointSum* TexelSums(int64_t texel) {
    return texture + texel * texture_channels;
  }
  __device__ FixedPointSum* AttributeSums(int64_t vertex) {
    return attributes + vertex * attribute_channels;
  }
};

template <typename T>
void DifferentiatePixels(const PictureInputs<T>& first, const GpuLayers<T>& layers,
                         const int* ids, const T* picture_gradient,
                         SoftFragmentGradient* soft_gradients, const GradientSums& sums,
                         T* background_gradient, cudaStream_t stream) {
  ForEach(layers.pixels(), stream, [=] __device__(int64_t i) {
    const int64_t b = i / first.pixels();
    const PictureInputs<T> inputs = first.Skip(b);
    GradientSums of_picture = sums;
    of_picture.vertices += b * inputs.vertex_count * 3;
    of_picture.texture += b * inputs.texture_size();
    of_picture.attributes += b * inputs.attributes_size();
    DifferentiatePixel(inputs, layers.mesh(b), Real(layers.options.margin),
                       layers.pixel(i), layers.place(i, ids[i]),
                       first.background + i * first.channels,
                       picture_gradient + i * first.channels,
                       soft_gradients + layers.first_soft_fragments[i], of_picture,
                       background_gradient + i * first.channels);
  });
}

}  // namespace

template <typename T>
GpuStatus RenderMeshOnGpu(const Batch<PictureInputs<T>>& batch, const Options& options,
                          GpuStream stream, GpuAllocator* allocator, T* picture,
                          int* ids) {
  Scratch scratch(allocator);
  GpuLayers<T> layers;
  Findings findings;
  GpuStatus status = PlaceTexturedMesh(batch, options, stream, &scratch, &layers);
  if (!status.ok()) return status;
  status = DrawSharpOnGpu(layers, stream, &scratch, ids);
  if (!status.ok()) return status;
  status = GatherSoftFragments(stream, &scratch, &layers, &findings);
  if (!status.ok()) return status;
  DrawPixels(batch.first, layers, ids, picture, stream);
  return MakeStatus(cudaGetLastError());
}

template <typename T>
GpuStatus RenderMeshGradOnGpu(const Batch<PictureInputs<T>>& batch,
                              const Options& options, const T* picture_gradient,
                              const int* ids, GpuStream stream, GpuAllocator* allocator,
                              const RenderMeshGradients<T>& gradients) {
  Scratch scratch(allocator);
  GpuLayers<T> layers;
  Findings findings;
  GpuStatus status = PlaceTexturedMesh(batch, options, stream, &scratch, &layers);
  if (!status.ok()) return status;
  FindDepthsOnGpu(layers, ids, stream);
  status = GatherSoftFragments(stream, &scratch, &layers, &findings);
  if (!status.ok()) return status;
  if (findings.invalid_id_pixel != kNone) {
    return {GpuStatus::kInvalidTriangleId,
            static_cast<int64_t>(findings.invalid_id_pixel)};
  }

  const PictureInputs<T>& first = batch.first;
  const int64_t vertices = batch.size * first.vertex_count * 3;
  const int64_t uv = gradients.uv == nullptr ? 0 : first.uv_count * 2;
  const int64_t texture = batch.size * first.texture_size();
  const int64_t attributes = batch.size * first.attributes_size();
  const int64_t count = vertices + uv + texture + attributes;
  SoftFragmentGradient* const soft_gradients =
      scratch.Get<SoftFragmentGradient>(static_cast<int64_t>(findings.soft_fragments));
  FixedPointSum* const sums = scratch.Get<FixedPointSum>(count);
  if (!scratch.complete()) return {GpuStatus::kOutOfMemory};

  cudaMemsetAsync(sums, 0, count * sizeof(FixedPointSum), stream);
  GradientSums parts = {{true},
                        sums,
                        uv == 0 ? nullptr : sums + vertices,
                        sums + vertices + uv,
                        sums + vertices + uv + texture,
                        first.material.texture_channels,
                        first.material.attribute_channels};
  for (const bool measuring : {true, false}) {
    parts.measuring = measuring;
    DifferentiatePixels(first, layers, ids, picture_gradient, soft_gradients, parts,
                        gradients.background, stream);
  }
  WriteSums(parts.vertices, vertices, gradients.vertices, stream);
  WriteSums(parts.uv, uv, gradients.uv, stream);
  WriteSums(parts.texture, texture, gradients.texture, stream);
  WriteSums(parts.attributes, attributes, gradients.attributes, stream);
  return MakeStatus(cudaGetLastError());
}

#define INSTANTIATE(T)                                                                 \
  template GpuStatus RenderMeshOnGpu<T>(const Batch<PictureInputs<T>>&,                \
                                        const Options&, GpuStream, GpuAllocator*, T*,  \
                                        int*);                                         \
  template GpuStatus RenderMeshGradOnGpu<T>(                                           \
      const Batch<PictureInputs<T>>&, const Options&, const T*, const int*, GpuStream, \
      GpuAllocator*, const RenderMeshGradients<T>&)

INSTANTIATE(float);
INSTANTIATE(double);

#undef INSTANTIATE

}  // namespace unsup3d
