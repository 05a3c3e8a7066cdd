// Times the CUDA kernels at the sizes of the benchmarks.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_WORKLOADS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_WORKLOADS_H_

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/device.h"
#include "tests/gpu_check/inputs.h"
#include "tests/gpu_check/json.h"
#include "tests/gpu_check/on_cpu.h"
#include "tests/gpu_check/on_gpu.h"
#include "tests/random.h"

namespace unsup3d {

struct WorkloadSize {
  int resolution, subdivisions, pictures;
  bool is_benchmark;  // or one that shows how the time grows with the triangles

  std::string name() const {
    return std::to_string(resolution) + "x" + std::to_string(resolution) + "_" +
           std::to_string(8 * subdivisions * subdivisions) + "_" +
           std::to_string(pictures);
  }
};

// The five workloads of the benchmarks (benchmarks/speed.py), a larger one, and growing
// ones. An emulation takes seconds for what a GPU does in a millisecond.
inline std::vector<WorkloadSize> TimedSizes(bool is_emulated) {
  if (is_emulated) return {{16, 4, 2, true}, {32, 4, 1, false}};
  return {{64, 32, 16, true},   {128, 64, 4, true},   {256, 64, 1, true},
          {512, 128, 1, true},  {1024, 354, 1, true}, {512, 128, 8, true},
          {128, 16, 1, false},  {128, 32, 1, false},  {128, 64, 1, false},
          {128, 128, 1, false}, {128, 256, 1, false}};
}

// Writes an array as a NumPy file.
template <typename Value>
void WriteNumpy(const std::string& path, const char* type,
                const std::vector<int64_t>& shape, const std::vector<Value>& values) {
  std::string dimensions;
  for (const int64_t size : shape) dimensions += std::to_string(size) + ",";
  std::string header = std::string("{'descr': '") + type +
                       "', 'fortran_order': False, 'shape': (" + dimensions + "), }";
  // What is before the values has a multiple of 64 bytes, 10 of them before the header.
  header.resize((header.size() + 10) / 64 * 64 + 63 - 10, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  const char size[] = {static_cast<char>(header.size() & 0xff),
                       static_cast<char>(header.size() >> 8)};
  file.write("\x93NUMPY\x01\x00", 8).write(size, 2) << header;
  file.write(reinterpret_cast<const char*>(values.data()),
             values.size() * sizeof(Value));
  file.close();
  if (!file) {
    std::fprintf(stderr, "error: cannot write %s\n", path.c_str());
    std::exit(2);
  }
}

// Writes the inputs of a workload, the derivative with respect to its pictures and the
// pictures.
inline void WriteWorkload(const std::string& prefix, const BatchArrays<float>& batch,
                          const std::vector<float>& picture_gradient,
                          const std::vector<float>& picture) {
  const Arrays<float>& all = batch.all;
  const int64_t triangles = all.triangle_count();
  const std::vector<int64_t> picture_shape = {batch.size, all.height, all.width, 3};
  const auto write_floats = [&](const char* name, const std::vector<int64_t>& shape,
                                const std::vector<float>& values) {
    WriteNumpy(prefix + name + ".npy", "<f4", shape, values);
  };
  const auto write_indices = [&](const char* name, const std::vector<int>& values) {
    WriteNumpy(prefix + name + ".npy", "<i4", {triangles, 3}, values);
  };
  write_floats("vertices", {batch.size, all.vertex_count, 3}, all.vertices);
  write_floats("uv", {all.uv_count(), 2}, all.uv);
  write_floats("texture",
               {batch.size, all.texture_levels.height, all.texture_levels.width, 3},
               all.texture);
  write_floats("background", picture_shape, all.background);
  write_floats("picture_gradient", picture_shape, picture_gradient);
  write_floats("picture", picture_shape, picture);
  write_indices("triangles", all.triangles);
  write_indices("uv_triangles", all.uv_triangles);
}

// Milliseconds of each of some calls, after some that are not counted.
template <typename Call>
std::vector<double> MeasureTimes(const Call& call) {
  const int warm_up = kIsEmulated ? 0 : 5, runs = kIsEmulated ? 1 : 30;
  Timer timer;
  std::vector<double> times;
  for (int i = 0; i < warm_up + runs; ++i) {
    timer.Start();
    call();
    const double milliseconds = timer.Milliseconds();
    if (i >= warm_up) times.push_back(milliseconds);
  }
  return times;
}

inline double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

// Times a workload and compares its results with the CPU's. Returns the times as JSON.
// If `folder` is not empty, the workload is written there.
inline std::string MeasureWorkload(const WorkloadSize& size, const std::string& folder,
                                   Comparison* comparison) {
  Random random(3);
  const Options options = {1, 0.02f, true};
  const BatchArrays<float> batch = GentleSphere<float>(
      random, {size.resolution, size.resolution, size.pictures}, size.subdivisions);
  GpuRenderer<float> gpu(batch, options);
  const Picture<float> picture = DrawOnCpu(batch, options);
  const std::vector<float> weights =
      RandomColours<float>(random, static_cast<int64_t>(picture.colours.size()));
  const DeviceArray<float> picture_gradient(weights);
  const DeviceArray<int> ids(picture.ids);
  SetDescendingOrder(false);
  const std::vector<double> forward = MeasureTimes([&] { gpu.Draw(); });
  const std::vector<double> backward = MeasureTimes(
      [&] { gpu.Differentiate(picture_gradient, ids, /*wants_uv=*/false); });

  comparison->Begin("workload " + size.name());
  const Picture<float> drawn = gpu.picture();
  const Gradients<float> found = gpu.gradients();
  const Gradients<float> expected =
      DifferentiateOnCpu(batch, options, weights, picture.ids);
  comparison->Same("picture", drawn.colours, picture.colours);
  comparison->Same("triangle ids", drawn.ids, picture.ids);
  comparison->Near("gradient by vertices", found.vertices, expected.vertices, 1e-5);
  comparison->Near("gradient by texture", found.texture, expected.texture, 1e-5);
  comparison->End();
  std::printf("  forward %.3f ms, backward %.3f ms, scratch memory %.1f MB\n",
              Median(forward), Median(backward), 1e-6 * gpu.scratch_bytes());
  if (!folder.empty() && size.is_benchmark) {
    WriteWorkload(folder + "/" + size.name() + "_", batch, weights, drawn.colours);
  }
  return JsonObject()
      .Add("workload", size.name())
      .Add("benchmark", size.is_benchmark)
      .Add("resolution", size.resolution)
      .Add("triangles", batch.all.triangle_count())
      .Add("batch", size.pictures)
      .Add("forward_ms", Median(forward))
      .Add("backward_ms", Median(backward))
      .Add("scratch_bytes", gpu.scratch_bytes())
      .AddJson("all_forward_ms", JsonArray(forward))
      .AddJson("all_backward_ms", JsonArray(backward))
      .str();
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_WORKLOADS_H_
