// CUDA kernels of RenderMesh and RenderMeshGrad.
//
// The functions of a triangle, an edge and a pixel are those of the CPU kernels, and
// so is the order in which a pixel meets triangles and edges: with fused products
// switched off the pictures are the same, too. Results do not depend on the order in
// which threads run:
//
// * each pixel belongs to one thread. It walks over the footprints that meet its
//   tile, which costs each tile a look at all triangles, and all edges twice;
// * fragments are counted first, then stored, as many as there are. Where the
//   fragments of a pixel lie in memory depends on the order of threads, what they are
//   does not;
// * gradients are added up in fixed point, see fixed_point.h, for which each pixel is
//   differentiated twice.

#include "rasterize_gpu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "differentiate_pixel.h"
#include "draw_pixel.h"
#include "fixed_point.h"
#include "fragments.h"
#include "geometry.h"
#include "gpu_launch.h"
#include "layer_point.h"
#include "mesh_view.h"
#include "pixel_gradient.h"
#include "pixel_range.h"
#include "scene.h"

namespace unsup3d {
namespace {

using Count = unsigned long long;  // what CUDA's atomics take

constexpr Count kNone = ~Count{0};

// What the host is to know.
struct Findings {
  unsigned invalid_values;
  Count invalid_id_pixel;  // the first one with a wrong triangle index, or kNone
  Count fragments;
};

// A batch on its way through the kernels.
template <typename T>
struct Job {
  Batch<T> batch;
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
  __device__ Scene<T> scene(int64_t picture) const {
    return batch.first.Skip(picture);
  }
  __device__ MeshView<T> mesh(int64_t picture) const {
    const Scene<T> at = scene(picture);
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
  __device__ const T* background(int64_t i) const {
    return batch.first.background + i * batch.first.channels;
  }
};

// Scratch memory; says at the end whether there was enough.
class Scratch {
 public:
  explicit Scratch(GpuAllocator* allocator) : allocator_(allocator) {}

  template <typename U>
  U* Get(int64_t count) {
    void* memory =
        allocator_->Allocate(std::max<int64_t>(count, 1) * sizeof(U));
    complete_ = complete_ && memory != nullptr;
    return static_cast<U*>(memory);
  }
  bool complete() const { return complete_; }

 private:
  GpuAllocator* allocator_;
  bool complete_ = true;
};

GpuStatus MakeStatus(cudaError_t error) {
  if (error == cudaSuccess) return {};
  return {GpuStatus::kCudaError, 0, cudaGetErrorString(error)};
}

void CheckIndices(const int* indices, int64_t count, int64_t lowest, int64_t end,
                  Findings* findings, cudaStream_t stream) {
  ForEach(count, stream, [=] __device__(int64_t i) {
    if (indices[i] < lowest || indices[i] >= end) findings->invalid_values = 1;
  });
}

template <typename T>
void CheckFinite(const T* values, int64_t count, Findings* findings,
                 cudaStream_t stream) {
  ForEach(count, stream, [=] __device__(int64_t i) {
    if (!std::isfinite(values[i])) findings->invalid_values = 1;
  });
}

template <typename T>
void CheckValues(const Batch<T>& batch, Findings* findings, cudaStream_t stream) {
  const Scene<T>& first = batch.first;
  const int64_t corners = 3 * static_cast<int64_t>(first.triangle_count);
  CheckIndices(first.triangles, corners, 0, first.vertex_count, findings, stream);
  CheckIndices(first.material.uv_triangles, corners, 0, first.uv_count, findings,
               stream);
  CheckIndices(first.neighbors, corners, -1, first.triangle_count, findings, stream);
  CheckFinite(first.vertices, batch.size * first.vertex_count * 3, findings, stream);
  CheckFinite(first.material.uv, first.uv_count * 2, findings, stream);
}

// Finds facings and footprints. Of invalid values nothing is drawn, so that no index
// is used that was not checked.
template <typename T>
void PlaceMesh(const Job<T>& job, cudaStream_t stream) {
  const int count = job.batch.first.triangle_count;
  ForEach(job.batch.size * count, stream, [=] __device__(int64_t i) {
    job.facings[i] = Facing::kNone;
    job.triangles[i] = Footprint{{0, 0}, {0, 0}};
    if (job.findings->invalid_values) return;
    Vertex<Real> corners[3];
    job.mesh(i / count).Corners(static_cast<int>(i % count), corners);
    job.facings[i] = DrawnFacing(SignedVolume(corners[0], corners[1], corners[2]),
                                 corners[0].z * corners[1].z * corners[2].z,
                                 job.options.cull_backfaces);
    Footprint footprint;
    if (job.facings[i] != Facing::kNone &&
        FindFootprint(TriangleBounds(corners), 0, job.batch.first.width,
                      job.batch.first.height, &footprint)) {
      job.triangles[i] = footprint;
    }
  });
  // Needs the facings of all triangles.
  ForEach(job.batch.size * count * 3, stream, [=] __device__(int64_t i) {
    const int64_t picture = i / 3 / count;
    const int edge = static_cast<int>(i - picture * count * 3);
    Footprint footprint;
    const bool found = job.mesh(picture).FindSilhouette(
        edge, job.options.margin, job.batch.first.width, job.batch.first.height,
        &footprint);
    job.silhouettes[i] = found ? footprint : Footprint{{0, 0}, {0, 0}};
  });
}

// Draws the sharp layer, see DrawSharp in sharp_layer.h.
template <typename T>
void DrawSharpOnGpu(const Job<T>& job, int* ids, cudaStream_t stream) {
  const int height = job.batch.first.height;
  const int width = job.batch.first.width;
  ForEachTile(job.batch.size, height, width, stream,
              [=] __device__(const TilePixel& at) {
    const MeshView<T> mesh = job.mesh(at.picture);
    const int count = job.batch.first.triangle_count;
    int nearest = kSharp;
    Real depth = HUGE_VAL;
    VisitFootprints(job.triangles + at.picture * count, count, at, [&](int f) {
      SurfacePoint<Real> point;
      if (!mesh.Cover(f, at.column + 0.5, at.row + 0.5, &point)) return;
      if (point.depth < depth) {
        depth = point.depth;
        nearest = f;
      }
    });
    if (at.row >= height || at.column >= width) return;
    const int64_t i = (at.picture * height + at.row) * width + at.column;
    ids[i] = nearest;
    job.depths[i] = depth;
  });
}

// Finds the depths that belong to `ids`, see FindDepths in sharp_layer.h.
template <typename T>
void FindDepthsOnGpu(const Job<T>& job, const int* ids, cudaStream_t stream) {
  ForEach(job.pixels(), stream, [=] __device__(int64_t i) {
    job.depths[i] = HUGE_VAL;
    if (ids[i] == kSharp) return;
    const MeshView<T> mesh = job.mesh(i / job.batch.first.pixels());
    const Place place = job.place(i, ids[i]);
    SurfacePoint<Real> point;
    if (ids[i] < 0 || ids[i] >= job.batch.first.triangle_count ||
        !mesh.Cover(ids[i], place.px, place.py, &point)) {
      atomicMin(&job.findings->invalid_id_pixel, static_cast<Count>(i));
      return;
    }
    job.depths[i] = point.depth;
  });
}

// Calls `visit(fragment)` for the fragments of the thread's pixel by ascending edge
// index.
template <typename T, typename Visit>
__device__ void VisitFragments(const Job<T>& job, const TilePixel& at, Visit visit) {
  const Scene<T>& first = job.batch.first;
  const MeshView<T> mesh = job.mesh(at.picture);
  const int count = 3 * first.triangle_count;
  VisitFootprints(job.silhouettes + at.picture * count, count, at, [&](int edge) {
    const int64_t in_picture = static_cast<int64_t>(at.row) * first.width + at.column;
    EdgePart<Real> part;
    mesh.VisiblePart(edge, &part);
    Fragment<Real> fragment;
    fragment.pixel = static_cast<int>(in_picture);
    fragment.edge = edge;
    if (FindFragment(part, at.column + 0.5, at.row + 0.5, Real(job.options.margin),
                     Real(job.options.depth_push),
                     job.depths[at.picture * first.pixels() + in_picture],
                     &fragment)) {
      visit(fragment);
    }
  });
}

template <typename T>
void CountFragments(const Job<T>& job, cudaStream_t stream) {
  const int height = job.batch.first.height;
  const int width = job.batch.first.width;
  ForEachTile(job.batch.size, height, width, stream,
              [=] __device__(const TilePixel& at) {
    int count = 0;
    VisitFragments(job, at, [&](const Fragment<Real>&) { ++count; });
    if (at.row >= height || at.column >= width) return;
    const int64_t i = (at.picture * height + at.row) * width + at.column;
    job.fragment_counts[i] = count;
    job.first_fragments[i] =
        count > 0 ? atomicAdd(&job.findings->fragments, static_cast<Count>(count)) : 0;
  });
}

template <typename T>
void StoreFragments(const Job<T>& job, cudaStream_t stream) {
  const int height = job.batch.first.height;
  const int width = job.batch.first.width;
  ForEachTile(job.batch.size, height, width, stream,
              [=] __device__(const TilePixel& at) {
    Fragment<Real>* next = nullptr;
    if (at.row < height && at.column < width) {
      next = job.fragments +
             job.first_fragments[(at.picture * height + at.row) * width + at.column];
    }
    VisitFragments(job, at, [&](const Fragment<Real>& fragment) {
      *next = fragment;
      ++next;
    });
  });
}

// Finds the sharp layer by `find_sharp()` and the fragments before it.
template <typename T, typename FindSharp>
GpuStatus FindLayers(const Batch<T>& batch, const Options& options,
                     cudaStream_t stream, Scratch* scratch, Job<T>* job,
                     Findings* findings, FindSharp find_sharp) {
  const int64_t triangles = batch.size * batch.first.triangle_count;
  const int64_t pixels = batch.size * batch.first.pixels();
  *job = {batch,
          options,
          scratch->Get<Findings>(1),
          scratch->Get<Facing>(triangles),
          scratch->Get<Footprint>(triangles),
          scratch->Get<Footprint>(triangles * 3),
          scratch->Get<Real>(pixels),
          scratch->Get<int>(pixels),
          scratch->Get<Count>(pixels),
          nullptr};
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};

  cudaMemsetAsync(job->findings, 0, sizeof(Findings), stream);
  cudaMemsetAsync(&job->findings->invalid_id_pixel, 0xff, sizeof(Count), stream);
  CheckValues(batch, job->findings, stream);
  PlaceMesh(*job, stream);
  find_sharp();
  CountFragments(*job, stream);
  const GpuStatus status =
      CopyToHost(findings, job->findings, sizeof(Findings), stream);
  if (status.code != GpuStatus::kOk) return status;
  if (findings->invalid_values) return {GpuStatus::kInvalidValues};
  if (findings->invalid_id_pixel != kNone) {
    return {GpuStatus::kInvalidTriangleId,
            static_cast<int64_t>(findings->invalid_id_pixel)};
  }
  job->fragments =
      scratch->Get<Fragment<Real>>(static_cast<int64_t>(findings->fragments));
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};
  StoreFragments(*job, stream);
  return {};
}

// How many channels a thread adds up at once, to keep them in registers.
constexpr int kChannels = 4;

template <typename T>
void DrawPixels(const Job<T>& job, const int* ids, T* picture, cudaStream_t stream) {
  ForEach(job.pixels(), stream, [=] __device__(int64_t i) {
    const int64_t b = i / job.batch.first.pixels();
    const Scene<T> scene = job.scene(b);
    const MeshView<T> mesh = job.mesh(b);
    for (int begin = 0; begin < scene.channels; begin += kChannels) {
      Real colour[kChannels] = {};
      DrawPixel(scene, mesh, job.pixel(i), job.place(i, ids[i]), job.background(i),
                [&](int channel, Real term) {
                  for (int c = 0; c < kChannels; ++c) {
                    if (begin + c == channel) colour[c] += term;
                  }
                });
      for (int c = 0; c < kChannels; ++c) {
        if (begin + c < scene.channels) {
          picture[i * scene.channels + begin + c] = static_cast<T>(colour[c]);
        }
      }
    }
  });
}

// Where the gradients of a picture are added up.
struct GradientSums {
  FixedPointSum *vertices, *uv, *texture, *attributes;
  int texture_channels, attribute_channels;
  bool measuring;  // in the first of the two passes

  __device__ void Add(FixedPointSum* sum, Real term) {
    if (term == 0) return;
    if (measuring) {
      MeasureTerm(sum, term);
    } else {
      AddTerm(sum, term);
    }
  }
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
void DifferentiatePixels(const Job<T>& job, const int* ids, const T* picture_gradient,
                         FragmentGradient* fragment_gradients,
                         const GradientSums& sums, T* background_gradient,
                         cudaStream_t stream) {
  ForEach(job.pixels(), stream, [=] __device__(int64_t i) {
    const int64_t b = i / job.batch.first.pixels();
    const Scene<T> scene = job.scene(b);
    GradientSums of_picture = sums;
    of_picture.vertices += b * scene.vertex_count * 3;
    of_picture.texture += b * scene.texture_size();
    of_picture.attributes += b * scene.attributes_size();
    DifferentiatePixel(scene, job.mesh(b), Real(job.options.margin), job.pixel(i),
                       job.place(i, ids[i]), job.background(i),
                       picture_gradient + i * scene.channels,
                       fragment_gradients + job.first_fragments[i], of_picture,
                       background_gradient + i * scene.channels);
  });
}

template <typename T>
void WriteSums(const FixedPointSum* sums, int64_t count, T* target,
               cudaStream_t stream) {
  ForEach(count, stream, [=] __device__(int64_t i) {
    target[i] = static_cast<T>(SumValue(sums[i]));
  });
}

}  // namespace

template <typename T>
GpuStatus DrawOnGpu(const Batch<T>& batch, const Options& options, GpuStream stream,
                    GpuAllocator* allocator, T* picture, int* ids) {
  Scratch scratch(allocator);
  Job<T> job;
  Findings findings;
  const GpuStatus status =
      FindLayers(batch, options, stream, &scratch, &job, &findings,
                 [&] { DrawSharpOnGpu(job, ids, stream); });
  if (status.code != GpuStatus::kOk) return status;
  DrawPixels(job, ids, picture, stream);
  return MakeStatus(cudaGetLastError());
}

template <typename T>
GpuStatus DifferentiateOnGpu(const Batch<T>& batch, const Options& options,
                             const T* picture_gradient, const int* ids,
                             GpuStream stream, GpuAllocator* allocator,
                             const BatchGradients<T>& gradients) {
  Scratch scratch(allocator);
  Job<T> job;
  Findings findings;
  const GpuStatus status =
      FindLayers(batch, options, stream, &scratch, &job, &findings,
                 [&] { FindDepthsOnGpu(job, ids, stream); });
  if (status.code != GpuStatus::kOk) return status;

  const Scene<T>& first = batch.first;
  const int64_t vertices = batch.size * first.vertex_count * 3;
  const int64_t uv = first.uv_count * 2;
  const int64_t texture = batch.size * first.texture_size();
  const int64_t attributes = batch.size * first.attributes_size();
  const int64_t count = vertices + uv + texture + attributes;
  FragmentGradient* const fragment_gradients =
      scratch.Get<FragmentGradient>(static_cast<int64_t>(findings.fragments));
  FixedPointSum* const sums = scratch.Get<FixedPointSum>(count);
  if (!scratch.complete()) return {GpuStatus::kOutOfMemory};

  cudaMemsetAsync(sums, 0, count * sizeof(FixedPointSum), stream);
  GradientSums parts = {sums,
                        sums + vertices,
                        sums + vertices + uv,
                        sums + vertices + uv + texture,
                        first.material.texture_channels,
                        first.material.attribute_channels,
                        true};
  for (const bool measuring : {true, false}) {
    parts.measuring = measuring;
    DifferentiatePixels(job, ids, picture_gradient, fragment_gradients, parts,
                        gradients.background, stream);
  }
  WriteSums(parts.vertices, vertices, gradients.vertices, stream);
  WriteSums(parts.uv, uv, gradients.uv, stream);
  WriteSums(parts.texture, texture, gradients.texture, stream);
  WriteSums(parts.attributes, attributes, gradients.attributes, stream);
  return MakeStatus(cudaGetLastError());
}

GpuStatus CopyToHost(void* target, const void* source, int64_t bytes,
                     GpuStream stream) {
  cudaMemcpyAsync(target, source, bytes, cudaMemcpyDeviceToHost, stream);
  const cudaError_t launched = cudaGetLastError();
  const cudaError_t done = cudaStreamSynchronize(stream);
  return MakeStatus(launched != cudaSuccess ? launched : done);
}

#define INSTANTIATE(T)                                                             \
  template GpuStatus DrawOnGpu<T>(const Batch<T>&, const Options&, GpuStream,      \
                                  GpuAllocator*, T*, int*);                        \
  template GpuStatus DifferentiateOnGpu<T>(const Batch<T>&, const Options&,        \
                                           const T*, const int*, GpuStream,        \
                                           GpuAllocator*, const BatchGradients<T>&)

INSTANTIATE(float);
INSTANTIATE(double);

#undef INSTANTIATE

}  // namespace unsup3d
