// What the CPU kernels of the ops share.
//
// Every unit of work, see core/bands.h, writes to memory of its own, and the results of
// the units are combined in order. They are bitwise the same with any number of
// threads.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_OP_KERNELS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_OP_KERNELS_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/bands.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/sparse_sums.h"
#include "ops/inputs.h"
#include "ops/parallel_for.h"
#include "tensorflow/core/framework/op_kernel.h"

namespace unsup3d {

// What meshes are prepared for.
enum class MeshUse {
  kDraw,
  kDifferentiate  // without lists of triangles: the one that each pixel shows is known
};

// Prepares the meshes of a batch.
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

// Adds up the `sums` of the units of each picture and writes them to `target`
// [pictures, rows, width]. All pictures have the same number of units.
template <typename Unit, typename Value, typename T>
void WriteSums(tensorflow::OpKernelContext* context, const std::vector<Unit>& units,
               SparseSums<Value> Unit::* sums, int64_t pictures, int64_t rows,
               int64_t width, T* target) {
  constexpr int64_t kTaskPages = 64;
  const int64_t pages =
      (rows + SparseSums<Value>::kPageRows - 1) / SparseSums<Value>::kPageRows;
  const int64_t tasks = (pages + kTaskPages - 1) / kTaskPages;  // for each picture
  const int64_t count = pictures > 0 ? units.size() / pictures : 0;
  ParallelFor(context, pictures * tasks, [&](int64_t task) {
    const int64_t picture = task / tasks;
    const int64_t begin = task % tasks * kTaskPages;
    WriteSum<Value>(count,
                    [&](int64_t k) { return &(units[picture * count + k].*sums); },
                    begin, std::min(pages, begin + kTaskPages), rows, width,
                    target + picture * rows * width);
  });
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_CPU_OP_KERNELS_H_
