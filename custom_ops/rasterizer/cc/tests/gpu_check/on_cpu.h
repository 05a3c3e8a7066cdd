// What the core computes for a batch of pictures on the CPU.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_ON_CPU_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_ON_CPU_H_

#include <cstdint>
#include <vector>

#include "core/fragment_list_gradient.h"
#include "core/sparse_sums.h"
#include "tests/gpu_check/inputs.h"
#include "tests/pictures.h"

namespace unsup3d {

template <typename Value>
void Append(const std::vector<Value>& values, std::vector<Value>* all) {
  all->insert(all->end(), values.begin(), values.end());
}

// Element `b` of `size` equal parts.
template <typename Value>
std::vector<Value> Part(const std::vector<Value>& all, int64_t b, int64_t size) {
  const int64_t count = all.size() / size;
  return {all.begin() + b * count, all.begin() + (b + 1) * count};
}

template <typename T>
Picture<T> DrawOnCpu(const BatchArrays<T>& batch, const Options& options) {
  Picture<T> all;
  for (int64_t b = 0; b < batch.size; ++b) {
    const Picture<T> one = Draw(batch.picture(b), options, ManyBands(batch.all.height));
    Append(one.ids, &all.ids);
    Append(one.colours, &all.colours);
  }
  return all;
}

template <typename T>
Gradients<T> DifferentiateOnCpu(const BatchArrays<T>& batch, const Options& options,
                                const std::vector<T>& picture_gradient,
                                const std::vector<int>& ids) {
  Gradients<T> all = {};
  std::vector<double> uv(batch.all.uv.size());  // all pictures share it
  for (int64_t b = 0; b < batch.size; ++b) {
    const Gradients<T> one =
        Differentiate(batch.picture(b), options, ManyBands(batch.all.height),
                      Part(picture_gradient, b, batch.size), Part(ids, b, batch.size));
    Append(one.vertices, &all.vertices);
    Append(one.texture, &all.texture);
    Append(one.attributes, &all.attributes);
    Append(one.background, &all.background);
    for (size_t i = 0; i < uv.size(); ++i) uv[i] += one.uv[i];
  }
  all.uv.assign(uv.begin(), uv.end());
  return all;
}

// A fragment list in the number type of the op. Its pixels are counted through the
// batch.
template <typename T>
struct BatchList {
  std::vector<int> ids, triangles;
  std::vector<int64_t> pixels;
  std::vector<T> barycentric, depth, weight;

  int64_t count() const { return static_cast<int64_t>(pixels.size()); }
};

template <typename T>
BatchList<T> ListOnCpu(const BatchArrays<T>& batch, const Options& options) {
  BatchList<T> all;
  for (int64_t b = 0; b < batch.size; ++b) {
    const List<T> one =
        MakeList(batch.picture(b), options, ManyBands(batch.all.height));
    Append(one.ids, &all.ids);
    Append(one.triangles, &all.triangles);
    for (const int64_t i : one.pixels) {
      all.pixels.push_back(b * batch.all.pixels() + i);
    }
    Append({one.barycentric.begin(), one.barycentric.end()}, &all.barycentric);
    Append({one.depths.begin(), one.depths.end()}, &all.depth);
    Append({one.weights.begin(), one.weights.end()}, &all.weight);
  }
  return all;
}

// The derivative with respect to the vertices, given that with respect to the list.
template <typename T>
std::vector<T> DifferentiateListOnCpu(const BatchArrays<T>& batch,
                                      const Options& options, const BatchList<T>& list,
                                      const BatchList<T>& list_gradient) {
  std::vector<T> all;
  for (int64_t b = 0; b < batch.size; ++b) {
    struct Sums {
      SparseSums<Real> vertices;
    };
    std::vector<Sums> sums(1);
    sums[0].vertices = SparseSums<Real>(batch.all.vertex_count, 3);
    const FragmentListGradient<T> gradients = {list.pixels.data(),
                                               b * batch.all.pixels(),
                                               list.count(),
                                               list_gradient.barycentric.data(),
                                               list_gradient.depth.data(),
                                               list_gradient.weight.data()};
    DifferentiateFragments(batch.picture(b), options, ManyBands(batch.all.height),
                           gradients, Part(list.ids, b, batch.size), &sums[0].vertices);
    Append(Sum<T>(sums, &Sums::vertices, batch.all.vertex_count, 3), &all);
  }
  return all;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_ON_CPU_H_
