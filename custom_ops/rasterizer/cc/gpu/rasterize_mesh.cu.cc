// CUDA kernels of RasterizeMesh and RasterizeMeshGrad.
//
// The layers of a pixel are found in sharp_layer.cu.cc and soft_layer.cu.cc. The
// position of its fragments in the list is the number of fragments of all pixels before
// it. The derivative is added up in fixed point, as that of a picture is. Neither the
// list nor its derivative therefore depends on the order in which threads run.

#include "gpu/rasterize_mesh.h"

#include <cstdint>

#include "core/bands.h"
#include "core/differentiate_layers.h"
#include "core/fragment_list_gradient.h"
#include "core/layer_point.h"
#include "core/picture_inputs.h"
#include "core/pixel_layers.h"
#include "gpu/fixed_point.h"
#include "gpu/launch.h"
#include "gpu/layers.h"
#include "gpu/scan.h"
#include "gpu/scratch.h"

namespace unsup3d {
namespace {

// Counts the fragments before each of the first `pixels` pixels and, as one more
// element, the fragments of all of these. Their `ids` must be valid.
template <typename T>
Count* CountListed(const GpuLayers<T>& layers, const int* ids, int64_t pixels,
                   Scratch* scratch, cudaStream_t stream) {
  Count* const listed = scratch->Get<Count>(pixels + 1);
  if (!scratch->complete()) return listed;
  ForEach(pixels + 1, stream, [=] __device__(int64_t i) {
    listed[i] = 0;
    if (i == pixels) return;
    Count count = 0;
    VisitPoints(layers.mesh(i / layers.batch.first.pixels()), layers.pixel(i),
                layers.place(i, ids[i]), [&](const LayerPoint&, Real) { ++count; });
    listed[i] = count;
  });
  ScanOnGpu(pixels + 1, listed, scratch, stream);
  return listed;
}

// Writes the fragments of all pixels to `list`.
template <typename T>
void WriteList(const GpuLayers<T>& layers, const int* ids, const Count* listed,
               const FragmentList<T>& list, cudaStream_t stream) {
  ForEach(layers.pixels(), stream, [=] __device__(int64_t i) {
    int64_t next = static_cast<int64_t>(listed[i]);
    VisitPoints(layers.mesh(i / layers.batch.first.pixels()), layers.pixel(i),
                layers.place(i, ids[i]), [&](const LayerPoint& point, Real weight) {
      list.pixels[next] = i;
      list.triangles[next] = point.triangle;
      for (int k = 0; k < 3; ++k) {
        list.barycentric[3 * next + k] = static_cast<T>(point.barycentric[k]);
      }
      list.depth[next] = static_cast<T>(point.depth);
      list.weight[next] = static_cast<T>(weight);
      ++next;
    });
  });
}

// The pixels of a batch, divided into the units of the CPU kernels. Errors have to be
// the same as theirs, which depend on the units.
struct Units {
  Bands bands;
  int height, width;

  // The first pixel of the unit that contains a pixel or, with `next`, of the unit
  // after it.
  UNSUP3D_HOST_DEVICE int64_t Border(int64_t pixel, bool next) const {
    const int64_t picture = pixel / width / height;
    const int row = static_cast<int>(pixel / width % height);
    const PixelRange rows = bands.rows(bands.Holding({row, row + 1}).begin);
    return (picture * height + (next ? rows.end : rows.begin)) * width;
  }
};

// The number of values less than a pixel. The result is that of std::lower_bound, even
// if the values are not in ascending order.
__device__ inline int64_t LowerBound(const int64_t* values, int64_t count,
                                     int64_t pixel) {
  int64_t first = 0;
  while (count > 0) {
    const int64_t half = count / 2;
    if (values[first + half] < pixel) {
      first += half + 1;
      count -= half + 1;
    } else {
      count = half;
    }
  }
  return first;
}

// The fragments of a pixel in the list.
struct Run {
  int64_t begin, end;
  int64_t unit_end;  // the end of the part of the list that belongs to the pixel's unit
};

// Finds the fragments of a pixel where the CPU looks for them: in the part of the list
// that belongs to the pixel's unit, after those of the earlier pixels of the unit.
template <typename T>
__device__ Run FindRun(const FragmentListGradient<T>& gradients, const Units& units,
                       const Count* listed, int64_t i) {
  const int64_t first = units.Border(i, false);
  FragmentListGradient<T> part = gradients;
  part.count = LowerBound(gradients.pixels, gradients.count, units.Border(i, true));
  const int64_t begin = LowerBound(gradients.pixels, gradients.count, first) +
                        static_cast<int64_t>(listed[i] - listed[first]);
  return {begin, part.EndOf(i, begin), part.count};
}

// The errors in a list.
struct ListFindings {
  Count invalid_pixel;  // the first pixel whose fragments are not in the list, or kNone
  bool outside;         // whether there are fragments outside of all pictures
};

// Checks the fragments of the first `pixels` pixels.
template <typename T>
GpuStatus CheckList(const GpuLayers<T>& layers,
                    const FragmentListGradient<T>& gradients, const Units& units,
                    const Count* listed, int64_t pixels, Scratch* scratch,
                    cudaStream_t stream, ListFindings* findings) {
  ListFindings* const found = scratch->Get<ListFindings>(1);
  if (!scratch->complete()) return {GpuStatus::kOutOfMemory};
  ForEach(1, stream, [=] __device__(int64_t) {
    const int64_t* const list = gradients.pixels;
    const int64_t count = gradients.count;
    found->invalid_pixel = kNone;
    found->outside = LowerBound(list, count, 0) != 0 ||
                     LowerBound(list, count, layers.pixels()) != count;
  });
  ForEach(pixels, stream, [=] __device__(int64_t i) {
    const Run run = FindRun(gradients, units, listed, i);
    // Fragments that are not in ascending order are left over after the last pixel of a
    // unit.
    const bool is_last = i + 1 == units.Border(i, true);
    if (run.end - run.begin != static_cast<int64_t>(listed[i + 1] - listed[i]) ||
        (is_last && run.end != run.unit_end)) {
      atomicMin(&found->invalid_pixel, static_cast<Count>(i));
    }
  });
  return CopyToHost(findings, found, sizeof(ListFindings), stream);
}

// Accumulates the gradient of a list. It is a sink for PixelFragments.
struct ListSums : FixedPointPass {
  FixedPointSum* vertices;

  __device__ FixedPointSum* VertexSums(int64_t vertex) { return vertices + 3 * vertex; }
};

template <typename T>
void DifferentiatePixels(const GpuLayers<T>& layers, const int* ids,
                         const FragmentListGradient<T>& gradients, const Units& units,
                         const Count* listed, SoftFragmentGradient* soft_gradients,
                         const ListSums& sums, cudaStream_t stream) {
  ForEach(layers.pixels(), stream, [=] __device__(int64_t i) {
    const Place place = layers.place(i, ids[i]);
    const PixelLayers<Real> pixel = layers.pixel(i);
    if (pixel.count == 0 && place.sharp_triangle == kSharp) return;
    const int64_t b = i / layers.batch.first.pixels();
    ListSums of_picture = sums;
    of_picture.vertices += b * layers.batch.first.vertex_count * 3;
    const Run run = FindRun(gradients, units, listed, i);
    PixelFragments<T, ListSums> fragments = {gradients, run.begin, run.end, of_picture};
    DifferentiateLayers(layers.mesh(b), Real(layers.options.margin), pixel, place,
                        soft_gradients + layers.first_soft_fragments[i], fragments);
  });
}

}  // namespace

template <typename T>
GpuStatus RasterizeMeshOnGpu(const Batch<Surface<T>>& batch, const Options& options,
                             GpuStream stream, GpuAllocator* allocator,
                             const AllocateFragments<T>& allocate, int* ids) {
  Scratch scratch(allocator);
  GpuLayers<T> layers;
  Findings findings;
  GpuStatus status = PlaceMesh(batch, options, stream, &scratch, &layers);
  if (!status.ok()) return status;
  status = DrawSharpOnGpu(layers, stream, &scratch, ids);
  if (!status.ok()) return status;
  status = GatherSoftFragments(stream, &scratch, &layers, &findings);
  if (!status.ok()) return status;

  const int64_t pixels = layers.pixels();
  const Count* const listed = CountListed(layers, ids, pixels, &scratch, stream);
  if (!scratch.complete()) return {GpuStatus::kOutOfMemory};
  Count count = 0;
  status = CopyToHost(&count, listed + pixels, sizeof(Count), stream);
  if (!status.ok()) return status;
  FragmentList<T> list;
  if (!allocate(static_cast<int64_t>(count), &list)) return {GpuStatus::kOutOfMemory};
  WriteList(layers, ids, listed, list, stream);
  return MakeStatus(cudaGetLastError());
}

template <typename T>
GpuStatus RasterizeMeshGradOnGpu(const Batch<Surface<T>>& batch, const Options& options,
                                 const FragmentListGradient<T>& gradients,
                                 const int* ids, GpuStream stream,
                                 GpuAllocator* allocator, T* vertex_gradients) {
  Scratch scratch(allocator);
  GpuLayers<T> layers;
  Findings findings;
  GpuStatus status = PlaceMesh(batch, options, stream, &scratch, &layers);
  if (!status.ok()) return status;
  FindDepthsOnGpu(layers, ids, stream);
  status = GatherSoftFragments(stream, &scratch, &layers, &findings);
  if (!status.ok()) return status;

  // If both a triangle index and the list are invalid, the error of the earlier unit is
  // reported, and within one unit that of the index.
  const Units units = {Bands(batch.size, batch.first.height), batch.first.height,
                       batch.first.width};
  const bool ids_fit = findings.invalid_id_pixel == kNone;
  const int64_t invalid_id = static_cast<int64_t>(findings.invalid_id_pixel);
  const int64_t pixels = ids_fit ? layers.pixels() : units.Border(invalid_id, false);
  const Count* const listed = CountListed(layers, ids, pixels, &scratch, stream);
  ListFindings of_list;
  status =
      CheckList(layers, gradients, units, listed, pixels, &scratch, stream, &of_list);
  if (!status.ok()) return status;
  if (of_list.invalid_pixel != kNone) {
    return {GpuStatus::kInvalidPixels, static_cast<int64_t>(of_list.invalid_pixel)};
  }
  if (!ids_fit) return {GpuStatus::kInvalidTriangleId, invalid_id};
  if (of_list.outside) return {GpuStatus::kOutsidePixels};

  const int64_t count = batch.size * batch.first.vertex_count * 3;
  SoftFragmentGradient* const soft_gradients =
      scratch.Get<SoftFragmentGradient>(static_cast<int64_t>(findings.soft_fragments));
  FixedPointSum* const sums = scratch.Get<FixedPointSum>(count);
  if (!scratch.complete()) return {GpuStatus::kOutOfMemory};
  cudaMemsetAsync(sums, 0, count * sizeof(FixedPointSum), stream);
  for (const bool measuring : {true, false}) {
    DifferentiatePixels(layers, ids, gradients, units, listed, soft_gradients,
                        {{measuring}, sums}, stream);
  }
  WriteSums(sums, count, vertex_gradients, stream);
  return MakeStatus(cudaGetLastError());
}

#define INSTANTIATE(T)                                                               \
  template GpuStatus RasterizeMeshOnGpu<T>(const Batch<Surface<T>>&, const Options&, \
                                           GpuStream, GpuAllocator*,                 \
                                           const AllocateFragments<T>&, int*);       \
  template GpuStatus RasterizeMeshGradOnGpu<T>(                                      \
      const Batch<Surface<T>>&, const Options&, const FragmentListGradient<T>&,      \
      const int*, GpuStream, GpuAllocator*, T*)

INSTANTIATE(float);
INSTANTIATE(double);

#undef INSTANTIATE

}  // namespace unsup3d
