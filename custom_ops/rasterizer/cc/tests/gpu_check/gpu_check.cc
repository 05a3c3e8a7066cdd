// Checks the CUDA kernels on a GPU, without TensorFlow: draws pictures on the GPU and
// with the core on the CPU and compares them, repeats that, and measures the time.
//
//   gpu_check [--output=FILE] [--small] [--sanitizer=COMMAND] [--workloads=FOLDER]
//             [--perturb=NAME]
//
// --output     JSON file for all results.
// --small      Compares only a few small pictures and measures nothing.
// --sanitizer  NVIDIA's compute-sanitizer, which runs the small check under memcheck
//              and racecheck.
// --workloads  Folder for the inputs and pictures of the workloads that are timed, as
//              NumPy files, for other renderers.
// --perturb    Changes one of the results before it is compared (picture, triangle ids,
//              gradient by vertices, repeated picture, list or list gradient): then the
//              check must fail.
//
// The exit status is 0 if everything was equal, 1 if not, and 2 if the check itself
// failed. With UNSUP3D_EMULATE_CUDA the GPU is emulated on the host.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "core/affine.h"
#include "gpu/transform_points.h"
#include "tests/gpu_check/comparison.h"
#include "tests/gpu_check/device.h"
#include "tests/gpu_check/inputs.h"
#include "tests/gpu_check/json.h"
#include "tests/gpu_check/on_cpu.h"
#include "tests/gpu_check/on_gpu.h"
#include "tests/gpu_check/workloads.h"
#include "tests/random.h"

namespace unsup3d {
namespace {

// How far gradients may be off, relative to the largest one. Where the CPU adds up in
// double precision, the sums in fixed point have the larger error: n terms, each off by
// up to n 2^-61 of the largest, as if by chance.
template <typename T>
double Tolerance(const Arrays<T>& arrays, double of_type) {
  return std::max(of_type, 4 * std::pow(arrays.pixels(), 1.5) * std::ldexp(1.0, -62));
}
template <typename T>
double GradientTolerance(const Arrays<T>& arrays) {
  // The CPU adds up the gradients of float textures and attributes in that precision.
  return Tolerance(arrays, sizeof(T) == sizeof(float) ? 1e-5 : 1e-12);
}
template <typename T>
double ListGradientTolerance(const Arrays<T>& arrays) {
  return Tolerance(arrays, sizeof(T) == sizeof(float) ? 1e-7 : 1e-12);
}

constexpr int kRepeats = 3;

template <typename T>
constexpr const char* kTypeName = "float64";
template <>
constexpr const char* kTypeName<float> = "float32";

std::string Describe(const Options& options) {
  char text[80];
  std::snprintf(text, sizeof(text), "margin %g, push %g, %s", options.margin,
                options.depth_push,
                options.cull_backfaces ? "front faces" : "both faces");
  return text;
}

template <typename T>
void SameStatus(Comparison* comparison, const char* what, const GpuStatus& status,
                GpuStatus::Code expected = GpuStatus::kOk, int64_t pixel = 0) {
  if (status.code == GpuStatus::kCudaError) {
    std::fprintf(stderr, "error: CUDA: %s\n", status.message);
    std::exit(2);
  }
  comparison->Same(what, status.code, expected);
  comparison->Same(what, status.pixel, pixel);
}

template <typename T>
void CheckRenderMesh(Random& random, const BatchArrays<T>& batch,
                     const Options& options, Comparison* comparison) {
  GpuRenderer<T> gpu(batch, options);
  const Picture<T> picture = DrawOnCpu(batch, options);
  const std::vector<T> weights =
      RandomColours<T>(random, static_cast<int64_t>(picture.colours.size()));
  const Gradients<T> gradients =
      DifferentiateOnCpu(batch, options, weights, picture.ids);
  const DeviceArray<T> picture_gradient(weights);
  const DeviceArray<int> ids(picture.ids);
  Picture<T> first_picture;
  Gradients<T> first;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    SetDescendingOrder(repeat % 2 == 1);
    SameStatus<T>(comparison, "status", gpu.Draw());
    const Picture<T> drawn = gpu.picture();
    SameStatus<T>(comparison, "gradient status",
                  gpu.Differentiate(picture_gradient, ids, true));
    const Gradients<T> found = gpu.gradients();
    if (repeat == 0) {
      first_picture = drawn;
      first = found;
      const double tolerance = GradientTolerance(batch.all);
      if (batch.all.texture_levels.mipmaps > 0) {
        // The logarithm of a GPU is rounded in another way.
        comparison->Near("picture", drawn.colours, picture.colours, tolerance);
      } else {
        comparison->Same("picture", drawn.colours, picture.colours);
      }
      comparison->Same("triangle ids", drawn.ids, picture.ids);
      comparison->Near("gradient by vertices", found.vertices, gradients.vertices,
                       tolerance);
      comparison->Near("gradient by uv", found.uv, gradients.uv, tolerance);
      comparison->Near("gradient by texture", found.texture, gradients.texture,
                       tolerance);
      comparison->Near("gradient by attributes", found.attributes, gradients.attributes,
                       tolerance);
      comparison->Same("gradient by background", found.background,
                       gradients.background);
      continue;
    }
    comparison->Same("repeated picture", drawn.colours, first_picture.colours);
    comparison->Same("repeated triangle ids", drawn.ids, first_picture.ids);
    comparison->Same("repeated gradient by vertices", found.vertices, first.vertices);
    comparison->Same("repeated gradient by uv", found.uv, first.uv);
    comparison->Same("repeated gradient by texture", found.texture, first.texture);
    comparison->Same("repeated gradient by attributes", found.attributes,
                     first.attributes);
  }
}

template <typename T>
void CheckRasterizeMesh(Random& random, const BatchArrays<T>& batch,
                        const Options& options, Comparison* comparison) {
  GpuRenderer<T> gpu(batch, options);
  const BatchList<T> list = ListOnCpu(batch, options);
  BatchList<T> list_gradient;
  list_gradient.barycentric = RandomColours<T>(random, 3 * list.count());
  list_gradient.depth = RandomColours<T>(random, list.count());
  list_gradient.weight = RandomColours<T>(random, list.count());
  const std::vector<T> gradient =
      DifferentiateListOnCpu(batch, options, list, list_gradient);
  std::vector<T> first;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    SetDescendingOrder(repeat % 2 == 1);
    BatchList<T> made;
    SameStatus<T>(comparison, "list status", gpu.MakeList(&made));
    comparison->Same("list", made.pixels, list.pixels);
    comparison->Same("list's triangles", made.triangles, list.triangles);
    comparison->Same("list's barycentric", made.barycentric, list.barycentric);
    comparison->Same("list's depth", made.depth, list.depth);
    comparison->Same("list's weight", made.weight, list.weight);
    comparison->Same("list's triangle ids", made.ids, list.ids);
    std::vector<T> found;
    SameStatus<T>(comparison, "list gradient status",
                  gpu.DifferentiateList(list, list_gradient, &found));
    if (repeat == 0) {
      first = found;
      comparison->Near("list gradient", found, gradient,
                       ListGradientTolerance(batch.all));
    } else {
      comparison->Same("repeated list gradient", found, first);
    }
  }
}

template <typename T>
void CheckBatch(const std::string& name, Random& random, const BatchArrays<T>& batch,
                const Options& options, Comparison* comparison) {
  comparison->Begin(name + ", " + kTypeName<T> + ", " + Describe(options));
  CheckRenderMesh(random, batch, options, comparison);
  CheckRasterizeMesh(random, batch, options, comparison);
  comparison->End();
}

// Inputs that must be refused.
template <typename T>
void CheckErrors(Random& random, Comparison* comparison) {
  comparison->Begin(std::string("invalid inputs, ") + kTypeName<T>);
  const Options options = {1, 0.02f, true};
  const BatchArrays<T> good = Soup<T>(random, {16, 24, 2}, 4, 1.0, {2, 2});
  const auto status_of = [&](void (*spoil)(Arrays<T>*)) {
    BatchArrays<T> bad = good;
    spoil(&bad.all);
    return GpuRenderer<T>(bad, options).Draw();
  };
  const auto expect_invalid = [&](const char* what, void (*spoil)(Arrays<T>*)) {
    SameStatus<T>(comparison, what, status_of(spoil), GpuStatus::kInvalidValues);
  };
  expect_invalid("triangles", [](Arrays<T>* a) { a->triangles[5] = 12; });
  expect_invalid("neighbors", [](Arrays<T>* a) { a->neighbors[5] = -2; });
  expect_invalid("uv_triangles", [](Arrays<T>* a) { a->uv_triangles[3] = -1; });
  expect_invalid("vertices", [](Arrays<T>* a) {
    a->vertices[7] = std::numeric_limits<T>::quiet_NaN();
  });
  expect_invalid("uv",
                 [](Arrays<T>* a) { a->uv[1] = std::numeric_limits<T>::infinity(); });
  GpuRenderer<T> gpu(good, options);
  SameStatus<T>(comparison, "good inputs", gpu.Draw());
  std::vector<int> ids = gpu.ids().ToHost();
  const auto background = std::find(ids.begin(), ids.end(), kSharp);
  std::fill(background, ids.end(), 4);
  const DeviceArray<T> weights(good.all.background);
  SameStatus<T>(comparison, "triangle ids",
                gpu.Differentiate(weights, DeviceArray<int>(ids), true),
                GpuStatus::kInvalidTriangleId, background - ids.begin());
  comparison->End();
}

template <typename T>
void CheckTransformPoints(Random& random, Comparison* comparison) {
  comparison->Begin(std::string("points, ") + kTypeName<T>);
  const int64_t size = 2, count = 3001;
  const std::vector<T> points = RandomColours<T>(random, size * count * 3);
  const std::vector<T> matrices = RandomColours<T>(random, size * 12);
  std::vector<T> expected(points.size());
  for (int64_t i = 0; i < size * count; ++i) {
    TransformPoint(&matrices[12 * (i / count)], &points[3 * i], &expected[3 * i]);
  }
  const DeviceArray<T> device_points(points), device_matrices(matrices),
      result(static_cast<int64_t>(points.size()));
  SameStatus<T>(comparison, "status",
                TransformPointsOnGpu<T>(
                    {device_points.data(), device_matrices.data(), size, count, false},
                    nullptr, result.data()));
  comparison->Same("points", result.ToHost(), expected);
  comparison->End();
}

constexpr Options kOptions[] = {{1, 0.02f, true},
                                {0, 0.02f, true},
                                {2.5f, 0.02f, true},
                                {20, 0.02f, false},
                                {2.5f, 0, false}};

// A few pictures that take little time, also under a sanitizer.
template <typename T>
void CheckSmall(Comparison* comparison) {
  Random random(1);
  const Options options = {2.5f, 0.02f, false};
  CheckBatch("spheres", random, TwoSpheres<T>(random, {20, 35, 2}, 3, true), options,
             comparison);
  CheckBatch("spheres with mipmaps", random,
             WithMipmaps(random, 4, TwoSpheres<T>(random, {20, 35, 2}, 3, true)),
             options, comparison);
  CheckBatch("soup behind the camera", random,
             Soup<T>(random, {17, 33, 1}, 9, -1.0, {2, 1}), options, comparison);
  CheckErrors<T>(random, comparison);
  CheckTransformPoints<T>(random, comparison);
}

template <typename T>
void CheckAll(Comparison* comparison) {
  Random random(2);
  for (const Options& options : kOptions) {
    CheckBatch("closed spheres", random, TwoSpheres<T>(random, {37, 50, 2}, 5, false),
               options, comparison);
    const int sizes[][2] = {{24, 24}, {16, 33}, {1, 1}, {2, 70}};
    for (const auto& size : sizes) {
      for (const double nearest : {1.0, -1.0}) {
        CheckBatch(nearest > 0 ? "soup" : "soup behind the camera", random,
                   Soup<T>(random, {size[0], size[1], 2}, 20, nearest, {2, 2}), options,
                   comparison);
      }
    }
  }
  for (const int mipmaps : {1, 2, 4}) {
    CheckBatch(
        "spheres with mipmaps", random,
        WithMipmaps(random, mipmaps, TwoSpheres<T>(random, {37, 50, 2}, 5, true)),
        {2.5f, 0.02f, false}, comparison);
  }
  CheckBatch("open spheres", random, TwoSpheres<T>(random, {96, 80, 1}, 8, true),
             {2.5f, 0.02f, false}, comparison);
  CheckBatch("crowded pixels", random, Soup<T>(random, {6, 5, 1}, 150, 2.0, {2, 2}),
             {20, 0.02f, false}, comparison);
  CheckBatch("triangles across many tiles", random,
             Soup<T>(random, {255, 257, 1}, 5, 2.0, {2, 2}), {20, 0.02f, false},
             comparison);
  CheckBatch("no triangles", random, Soup<T>(random, {24, 24, 1}, 0, 1.0, {2, 2}),
             kOptions[0], comparison);
  for (const Channels& channels : {Channels{0, 0}, {0, 2}, {2, 0}, {7, 3}}) {
    CheckBatch("channels", random, Soup<T>(random, {24, 24, 1}, 20, 1.0, channels),
               kOptions[0], comparison);
  }
  CheckErrors<T>(random, comparison);
  CheckTransformPoints<T>(random, comparison);
}

std::string DescribeDevice() {
  cudaDeviceProp properties;
  int driver = 0, runtime = 0;
  Require(cudaGetDeviceProperties(&properties, 0));
  Require(cudaDriverGetVersion(&driver));
  Require(cudaRuntimeGetVersion(&runtime));
  std::printf("on %s\n", properties.name);
  return JsonObject()
      .Add("name", properties.name)
      .Add("emulated", kIsEmulated)
      .Add("compute_capability",
           std::to_string(properties.major) + "." + std::to_string(properties.minor))
      .Add("cuda_driver", driver)
      .Add("cuda_runtime", runtime)
      .str();
}

// Runs the small check under a tool of the sanitizer. Returns what came of it.
std::string Sanitize(const std::string& sanitizer, const std::string& tool,
                     const std::string& program) {
  if (kIsEmulated) return "not run: there is no GPU";
  if (std::system(("command -v " + sanitizer + " >/dev/null").c_str()) != 0) {
    return "not run: " + sanitizer + " was not found";
  }
  const std::string command =
      sanitizer + " --tool " + tool + " --error-exitcode 9 '" + program + "' --small";
  std::printf("%s\n", command.c_str());
  std::fflush(stdout);
  return std::system(command.c_str()) == 0 ? "passed" : "failed";
}

struct Arguments {
  bool small = false;
  std::string output, sanitizer = "compute-sanitizer", workloads, perturb;
};

bool Parse(int argc, char** argv, Arguments* arguments) {
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value_of = [&](const std::string& name, std::string* value) {
      if (argument.compare(0, name.size(), name) != 0) return false;
      *value = argument.substr(name.size());
      return true;
    };
    if (argument == "--small") {
      arguments->small = true;
    } else if (!value_of("--output=", &arguments->output) &&
               !value_of("--sanitizer=", &arguments->sanitizer) &&
               !value_of("--workloads=", &arguments->workloads) &&
               !value_of("--perturb=", &arguments->perturb)) {
      std::fprintf(stderr, "error: unknown argument %s\n", argv[i]);
      return false;
    }
  }
  return true;
}

int Run(const Arguments& arguments, const char* program) {
  JsonObject result;
  result.AddJson("device", DescribeDevice());
  Comparison comparison(arguments.perturb);
  bool passed = true;
  if (arguments.small) {
    CheckSmall<float>(&comparison);
    CheckSmall<double>(&comparison);
  } else {
    CheckAll<float>(&comparison);
    CheckAll<double>(&comparison);
    JsonObject tools;
    for (const char* const tool : {"memcheck", "racecheck"}) {
      const std::string outcome = Sanitize(arguments.sanitizer, tool, program);
      std::printf("%s: %s\n", tool, outcome.c_str());
      passed = passed && outcome != "failed";
      tools.Add(tool, outcome);
    }
    result.AddJson("sanitizer", tools.str());
    std::vector<std::string> times;
    for (const WorkloadSize& size : TimedSizes(kIsEmulated)) {
      times.push_back(MeasureWorkload(size, arguments.workloads, &comparison));
    }
    result.AddJson("times", JsonLines(times));
  }
  if (!comparison.has_perturbed()) {
    std::fprintf(stderr, "error: nothing is called %s\n", arguments.perturb.c_str());
    return 2;
  }
  passed = passed && comparison.differing_cases() == 0;
  result.AddJson("cases", comparison.json()).Add("passed", passed);
  std::printf("%s: %d of %d cases differ\n", passed ? "passed" : "FAILED",
              comparison.differing_cases(), comparison.case_count());
  if (!arguments.output.empty()) {
    std::ofstream file(arguments.output);
    file << result.str() << "\n";
    file.close();
    if (!file) {
      std::fprintf(stderr, "error: cannot write %s\n", arguments.output.c_str());
      return 2;
    }
  }
  return passed ? 0 : 1;
}

}  // namespace
}  // namespace unsup3d

int main(int argc, char** argv) {
  unsup3d::Arguments arguments;
  if (!unsup3d::Parse(argc, argv, &arguments)) return 2;
  return unsup3d::Run(arguments, argv[0]);
}
