// What the CPU kernels share.
//
// Every unit of work, see bands.h, writes to memory of its own, and the units'
// results are put together in their order: they are the same to the last bit with any
// number of threads.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_OP_KERNELS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_OP_KERNELS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/bands.h"
#include "ops/inputs.h"
#include "core/mesh.h"
#include "core/scene.h"
#include "core/sparse_sums.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {

// What of the meshes is needed.
enum class MeshUse {
  kDraw,
  kDifferentiate  // no lists of triangles: which one each pixel shows is known
};

// The meshes of a batch.
template <typename T>
std::vector<Mesh<T>> MakeMeshes(tensorflow::OpKernelContext* context,
                                const SurfaceInputs& in, const Options& options,
                                const Bands& bands, MeshUse use) {
  std::vector<Mesh<T>> meshes;
  meshes.reserve(in.batch);
  for (int64_t b = 0; b < in.batch; ++b) {
    meshes.emplace_back(MakeSurface<T>(in).Skip(b), options, bands);
  }
  if (meshes.empty()) return meshes;
  const int64_t chunks = meshes[0].chunks();
  ParallelFor(context, in.batch * chunks, [&](int64_t i) {
    Mesh<T>& mesh = meshes[i / chunks];
    const int chunk = static_cast<int>(i % chunks);
    if (use == MeshUse::kDraw) {
      mesh.PlaceTriangles(chunk);
    } else {
      mesh.FindFacings(chunk);
    }
  });
  ParallelFor(context, in.batch * chunks, [&](int64_t i) {
    meshes[i / chunks].PlaceSilhouettes(static_cast<int>(i % chunks));
  });
  return meshes;
}

// Writes to `target` [pictures, rows, width] for each picture the sum of what its units,
// equally many for each, have in `sums`.
template <typename Unit, typename Value, typename T>
void WriteSums(tensorflow::OpKernelContext* context, const std::vector<Unit>& units,
               SparseSums<Value> Unit::*sums, int64_t pictures, int64_t rows,
               int64_t width, T* target) {
  constexpr int64_t kTaskPages = 64;
  const int64_t pages =
      (rows + SparseSums<Value>::kPageRows - 1) / SparseSums<Value>::kPageRows;
  const int64_t tasks = (pages + kTaskPages - 1) / kTaskPages;  // of a picture
  const int64_t count = pictures > 0 ? units.size() / pictures : 0;
  ParallelFor(context, pictures * tasks, [&](int64_t task) {
    const int64_t picture = task / tasks;
    const int64_t begin = task % tasks * kTaskPages;
    WriteSum<Value>(
        count, [&](int64_t k) { return &(units[picture * count + k].*sums); }, begin,
        std::min(pages, begin + kTaskPages), rows, width,
        target + picture * rows * width);
  });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_OP_KERNELS_H_
