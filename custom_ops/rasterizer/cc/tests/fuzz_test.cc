// Draws and differentiates random inputs of all kinds, provided that they pass the
// checks that the ops make: whatever these accept must do no harm, and every picture
// must satisfy some invariants.
//
//   fuzz_test [CASES] [SEED]
//
// Case i has the seed SEED + i, and `fuzz_test 1 THAT_SEED` repeats it. The program
// prints the checks that fail, and its exit status is 0 if there are none. The flags to
// compile it with are in tests/rendering/test_op_build.py.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/picture_inputs.h"
#include "core/value_checks.h"
#include "tests/expect.h"
#include "tests/pictures.h"
#include "tests/random.h"

namespace unsup3d {
namespace {

constexpr int kDefaultCases = 10000;  // these take some seconds with sanitizers

template <typename T, size_t size>
T OneOf(Random& random, const T (&values)[size]) {
  return values[random.Integer(0, size - 1)];
}

// A coordinate, colour or derivative at the limits of the number type.
template <typename T>
T Extreme(Random& random) {
  using Limits = std::numeric_limits<T>;
  const T values[] = {0,
                      -T(0),
                      1,
                      T(kNearDepth),
                      Limits::denorm_min(),
                      Limits::min(),
                      Limits::epsilon(),
                      Limits::max(),
                      Limits::max() / 2,
                      std::sqrt(Limits::max())};
  return random.OneIn(2) ? OneOf(random, values) : -OneOf(random, values);
}

template <typename T>
T NotFinite(Random& random) {
  const T infinity = std::numeric_limits<T>::infinity();
  const T values[] = {infinity, -infinity, std::numeric_limits<T>::quiet_NaN()};
  return OneOf(random, values);
}

enum class VertexKind { kOrdinary, kOnPixels, kNearCamera, kWild, kExtreme, kAny };

template <typename T>
std::array<T, 3> MakeVertex(Random& random, VertexKind kind, int height, int width) {
  if (kind == VertexKind::kAny) {
    kind = static_cast<VertexKind>(random.Integer(0, static_cast<int>(kind) - 1));
  }
  const auto at = [](double x, double y, double z) {
    return std::array<T, 3>{T(x * z), T(y * z), T(z)};
  };
  const double x = random(-0.5 * width, 1.5 * width);
  const double y = random(-0.5 * height, 1.5 * height);
  switch (kind) {
    case VertexKind::kOrdinary:
      return at(x, y, random.OneIn(6) ? random(-1, 1) : random(0.5, 3));
    case VertexKind::kOnPixels:
      return at(random.Integer(-2, 2 * width + 2) / 2.0,
                random.Integer(-2, 2 * height + 2) / 2.0, random.Integer(1, 3));
    case VertexKind::kNearCamera: {
      const double depths[] = {0, -1, kNearDepth, 0.9 * kNearDepth, 1.1 * kNearDepth};
      const T z = static_cast<T>(OneOf(random, depths));
      return random.OneIn(2) ? at(x, y, z) : std::array<T, 3>{T(x), T(y), z};
    }
    case VertexKind::kWild:
      return {random.Wild<T>(), random.Wild<T>(), random.Wild<T>()};
    default:
      return {Extreme<T>(random), Extreme<T>(random), Extreme<T>(random)};
  }
}

// A number that the ops do not check.
template <typename T>
T MakeColour(Random& random) {
  switch (random.Integer(0, 5)) {
    case 0:
      return Extreme<T>(random);
    case 1:
      return NotFinite<T>(random);
    default:
      return static_cast<T>(random(-1, 1));
  }
}

Options MakeOptions(Random& random) {
  constexpr float kMax = std::numeric_limits<float>::max();
  constexpr float kMin = std::numeric_limits<float>::denorm_min();
  const float margins[] = {0, 0.25f, 1, 1, 2.5f, 2.5f, 30, 1e6f, kMax, kMin};
  const float pushes[] = {0, 0.02f, 0.02f, 0.02f, 1, 1e20f, kMax, kMin};
  return {OneOf(random, margins), OneOf(random, pushes), random.OneIn(3)};
}

// Puts something into one of the arrays that the checks should find.
template <typename T>
void Spoil(Random& random, Arrays<T>* arrays) {
  std::vector<int>* const indices[] = {&arrays->triangles, &arrays->neighbors,
                                       &arrays->uv_triangles};
  const int wrong[] = {-1,
                       -2,
                       static_cast<int>(arrays->vertex_count),
                       arrays->triangle_count(),
                       static_cast<int>(arrays->uv_count()),
                       std::numeric_limits<int>::max(),
                       std::numeric_limits<int>::min()};
  std::vector<T>& values = random.OneIn(2) ? arrays->vertices : arrays->uv;
  std::vector<int>& chosen = *OneOf(random, indices);
  const auto any_of = [&](auto& array) -> auto& {
    return array[random.Integer(0, static_cast<int>(array.size()) - 1)];
  };
  if (random.OneIn(2)) {
    if (!values.empty()) any_of(values) = NotFinite<T>(random);
  } else if (!chosen.empty()) {
    any_of(chosen) = OneOf(random, wrong);
  }
}

// Makes random inputs. With `plain`, all colours are 1.
template <typename T>
Arrays<T> MakeArrays(Random& random, bool plain) {
  Arrays<T> arrays = {};
  int faces = random.Integer(random.OneIn(4) ? 0 : 4, 12);
  int vertex_count = random.Integer(random.OneIn(4) ? 1 : 4, 12);
  int limit = random.OneIn(3) ? 3 : 10;
  if (random.OneIn(100)) {
    faces = random.Integer(100, 400);
    vertex_count = random.Integer(3, 200);
    limit = 5;
  } else if (random.OneIn(30)) {
    limit = 40;
  }
  arrays.height = random.Integer(1, limit);
  arrays.width = random.Integer(1, limit);
  if (random.OneIn(30)) {
    arrays.height = random.Integer(33, 80);
    arrays.width = random.Integer(1, 4);
  }
  arrays.texture_channels = random.Integer(0, 4);
  arrays.attribute_channels = random.Integer(0, 3);
  const int smallest_texture = arrays.texture_channels > 0 ? 1 : 0;
  const int mipmaps = random.OneIn(2) ? 0 : random.Integer(1, 3);
  arrays.texture_levels = {random.Integer(smallest_texture, 4) << mipmaps,
                           random.Integer(smallest_texture, 4) << mipmaps, mipmaps};
  // Only a picture without triangles can do without vertices and UVs.
  if (faces == 0 && random.OneIn(2)) vertex_count = 0;
  const int uvs = faces == 0 ? random.Integer(0, 2) : random.Integer(1, 6);

  arrays.vertex_count = vertex_count;
  const VertexKind kinds[] = {
      VertexKind::kOrdinary, VertexKind::kOrdinary, VertexKind::kOrdinary,
      VertexKind::kOnPixels, VertexKind::kOnPixels, VertexKind::kNearCamera,
      VertexKind::kWild,     VertexKind::kExtreme,  VertexKind::kAny,
      VertexKind::kAny,      VertexKind::kAny};
  const VertexKind kind = OneOf(random, kinds);
  arrays.vertices = std::vector<T>(3 * vertex_count);
  for (int i = 0; i < vertex_count; ++i) {
    const auto vertex = MakeVertex<T>(random, kind, arrays.height, arrays.width);
    std::copy(vertex.begin(), vertex.end(), &arrays.vertices[3 * i]);
  }
  const auto indices = [&](int low, int high) {
    return MakeMany(3 * faces, [&] { return random.Integer(low, high); });
  };
  arrays.triangles = indices(0, vertex_count - 1);
  arrays.neighbors = indices(random.OneIn(2) ? -1 : -faces, faces - 1);
  for (int& neighbor : arrays.neighbors) neighbor = std::max(neighbor, -1);
  arrays.uv_triangles = indices(0, uvs - 1);
  for (int f = 1; f < faces; ++f) {
    if (!random.OneIn(8)) continue;
    std::copy_n(&arrays.triangles[3 * random.Integer(0, f - 1)], 3,
                &arrays.triangles[3 * f]);
  }
  arrays.uv = MakeMany(2 * uvs, [&] {
    return random.OneIn(3)   ? random.Wild<T>()
           : random.OneIn(6) ? Extreme<T>(random)
                             : static_cast<T>(random(-0.2, 1.2));
  });
  const auto colours = [&](int64_t count) {
    return MakeMany(count, [&] { return plain ? T(1) : MakeColour<T>(random); });
  };
  arrays.texture = colours(arrays.texel_count() * arrays.texture_channels);
  arrays.attributes = colours(arrays.vertex_count * arrays.attribute_channels);
  arrays.background = colours(int64_t{arrays.pixels()} * arrays.channels());
  if (random.OneIn(12)) Spoil(random, &arrays);
  return arrays;
}

bool AreIndices(const std::vector<int>& values, int64_t lowest, int64_t end) {
  return FindOutside(values.data(), values.size(), lowest, end) < 0;
}

template <typename T>
bool AreFinite(const std::vector<T>& values) {
  return FindNotFinite(values.data(), values.size()) < 0;
}

// The checks that the ops make. RasterizeMesh takes only the surface.
template <typename T>
bool IsGoodSurface(const Arrays<T>& arrays) {
  return AreIndices(arrays.triangles, 0, arrays.vertex_count) &&
         AreIndices(arrays.neighbors, -1, arrays.triangle_count()) &&
         AreFinite(arrays.vertices);
}
template <typename T>
bool IsGoodMaterial(const Arrays<T>& arrays) {
  return AreIndices(arrays.uv_triangles, 0, arrays.uv_count()) && AreFinite(arrays.uv);
}

// A triangle index that is not that of the visible triangle must be detected, unless
// that triangle covers the pixel behind the visible one.
template <typename T>
void CheckWrongIds(Random& random, const Arrays<T>& arrays, const Options& options,
                   std::vector<int> ids, const std::vector<T>& picture_gradient) {
  const Bands bands = ManyBands(arrays.height);
  const int pixel = random.Integer(0, arrays.pixels() - 1);
  const int none[] = {-2, arrays.triangle_count(), std::numeric_limits<int>::max(),
                      std::numeric_limits<int>::min()};
  const bool exists = arrays.triangle_count() > 0 && random.OneIn(2);
  ids[pixel] =
      exists ? random.Integer(0, arrays.triangle_count() - 1) : OneOf(random, none);
  const Mesh<T> mesh = MakeMesh(arrays.inputs(), options, bands, &Mesh<T>::FindFacings);
  SurfacePoint<Real> point;
  const bool is_there =
      exists && mesh.view().Cover(ids[pixel], pixel % arrays.width + 0.5,
                                  pixel / arrays.width + 0.5, &point);
  const int64_t wrong_pixel =
      Differentiate(arrays, options, bands, picture_gradient, ids).wrong_pixel;
  EXPECT(wrong_pixel == (is_there ? -1 : pixel));
  const Mismatch mismatch = DifferentiatePixels(arrays, options, bands, {}, 0, ids);
  EXPECT(is_there || mismatch.pixel >= 0);
}

// Wrong pixels of a list must be detected.
template <typename T>
void CheckWrongPixels(Random& random, const Arrays<T>& arrays, const Options& options,
                      const List<T>& list) {
  using Limits = std::numeric_limits<int64_t>;
  const int64_t pixels = arrays.pixels();
  const int64_t first_pixel = pixels * random.Integer(0, 3);
  CheckListGradient(arrays, options, list, first_pixel);
  std::vector<int64_t> changed = list.pixels;
  for (int64_t& pixel : changed) pixel += first_pixel;
  const std::vector<int64_t> right = changed;
  const int64_t wild[] = {Limits::min(), Limits::max(), -1, 0, first_pixel + pixels};
  for (int changes = random.Integer(1, 3); changes > 0; --changes) {
    const int64_t any = random.OneIn(2)
                            ? OneOf(random, wild)
                            : first_pixel + random.Integer(0, arrays.pixels() - 1);
    const int at = random.Integer(0, static_cast<int>(changed.size()));
    if (random.OneIn(2)) {
      changed.insert(changed.begin() + at, any);
    } else if (at < static_cast<int>(changed.size())) {
      changed[at] = any;
    }
  }
  changed.shrink_to_fit();
  const Bands bands = ManyBands(arrays.height);
  const Mismatch mismatch =
      DifferentiatePixels(arrays, options, bands, changed, first_pixel, list.ids);
  EXPECT(-1 <= mismatch.pixel && mismatch.pixel < pixels && !mismatch.in_ids);
  EXPECT(mismatch.pixel >= 0 || changed == right);
}

// If the derivative with respect to each pixel is 1, the derivatives with respect to
// the texture or attributes and to the background are weights of a mean, so they add up
// to 1 for each pixel.
template <typename T>
void CheckShares(const Arrays<T>& arrays, const Gradients<T>& gradients) {
  const auto sum = [](const std::vector<T>& values, int channel, int channels) {
    double total = 0;
    for (size_t i = channel; i < values.size(); i += channels) total += values[i];
    return total;
  };
  for (int c = 0; c < arrays.channels(); ++c) {
    const int attribute = c - arrays.texture_channels;
    const double surface =
        attribute < 0 ? sum(gradients.texture, c, arrays.texture_channels)
                      : sum(gradients.attributes, attribute, arrays.attribute_channels);
    const double background = sum(gradients.background, c, arrays.channels());
    EXPECT(std::abs(surface + background - arrays.pixels()) < 1e-4 * arrays.pixels());
  }
}

// Returns whether the checks accepted the inputs, or at least the surface.
template <typename T>
bool RunCase(Random& random) {
  const bool plain = random.OneIn(2);
  const Arrays<T> arrays = MakeArrays<T>(random, plain);
  const Options options = MakeOptions(random);
  if (!IsGoodSurface(arrays)) return false;
  const Bands bands = ManyBands(arrays.height);
  const List<T> list = MakeList(arrays, options, bands);
  CheckList(arrays, list);
  CheckWrongPixels(random, arrays, options, list);
  if (!IsGoodMaterial(arrays)) return true;

  const Picture<T> picture = Draw(arrays, options, bands);
  CheckBands(arrays, options, picture, list);
  const auto picture_gradient = MakeMany(
      arrays.background.size(), [&] { return plain ? T(1) : MakeColour<T>(random); });
  const Gradients<T> gradients =
      Differentiate(arrays, options, bands, picture_gradient, picture.ids);
  EXPECT(gradients.wrong_pixel == -1);
  const Gradients<T> of_one =
      Differentiate(arrays, options, OneBand(arrays.height), picture_gradient,
                    picture.ids, /*wants_uv=*/false);
  EXPECT(AreSame(gradients.background, of_one.background));
  CheckWrongIds(random, arrays, options, picture.ids, picture_gradient);
  if (plain) {
    for (const T colour : picture.colours) EXPECT(std::abs(colour - 1) < 1e-4);
    CheckShares(arrays, gradients);
  }
  return true;
}

}  // namespace
}  // namespace unsup3d

int main(int argc, char** argv) {
  const int64_t cases = argc > 1 ? std::atoll(argv[1]) : unsup3d::kDefaultCases;
  const int64_t first = argc > 2 ? std::atoll(argv[2]) : 1;
  int64_t rejected = 0;
  for (int64_t i = 0; i < cases; ++i) {
    unsup3d::Random random(first + i);
    const bool accepted = random.OneIn(2) ? unsup3d::RunCase<float>(random)
                                          : unsup3d::RunCase<double>(random);
    rejected += !accepted;
    if (unsup3d::failures > 0) {
      std::printf("seed %lld fails\n", static_cast<long long>(first + i));
      return 1;
    }
    if ((i + 1) % 1000 == 0 || i + 1 == cases) {
      std::printf("%lld cases, %lld rejected\n", static_cast<long long>(i + 1),
                  static_cast<long long>(rejected));
      std::fflush(stdout);
    }
  }
  return 0;
}
