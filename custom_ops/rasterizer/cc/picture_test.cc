// Draws and differentiates whole pictures without TensorFlow: meshes of no sense
// whatever, which must be harmless, and the derivative of sensible ones against central
// differences. Prints what fails; the exit status tells.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <random>
#include <vector>

#include "differentiate.h"
#include "draw.h"
#include "expect.h"
#include "fragment_list.h"
#include "mesh.h"
#include "scene.h"

namespace unsup3d {
namespace {

constexpr int kHeight = 9, kWidth = 7, kTextureSize = 3, kUvs = 5;
constexpr int kPixels = kHeight * kWidth;

class Random {
 public:
  double operator()(double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(engine_);
  }
  int Integer(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine_);
  }
  // Of any magnitude and sign, at times 0 or a half-integer.
  template <typename T>
  T Wild() {
    const double limit = std::log10(std::numeric_limits<T>::max());
    switch (Integer(0, 3)) {
      case 0:
        return static_cast<T>(Integer(-2, 20)) / 2;
      case 1:
        return static_cast<T>((*this)(-3, 12));
      default:
        return static_cast<T>((*this)(-1, 1) * std::pow(10.0, (*this)(-limit, limit)));
    }
  }

 private:
  std::mt19937_64 engine_{11};
};

// The arrays of a scene, with one channel from the texture and one attribute.
template <typename T>
struct Arrays {
  std::vector<T> vertices, uv, texture, attributes, background;
  std::vector<int> triangles, neighbors, uv_triangles;

  Scene<T> scene() const {
    const Material<T> material = {triangles.data(), uv_triangles.data(), uv.data(),
                                  texture.data(),   attributes.data(),   kTextureSize,
                                  kTextureSize,     1,                   1};
    const Surface<T> surface = {vertices.data(),
                                triangles.data(),
                                neighbors.data(),
                                static_cast<int64_t>(attributes.size()),
                                static_cast<int>(triangles.size() / 3),
                                kHeight,
                                kWidth};
    return {surface, material, background.data(), kUvs, 2};
  }
};

template <typename T>
struct Picture {
  std::vector<int> ids = std::vector<int>(kPixels);
  std::vector<Real> depths = std::vector<Real>(kPixels);
  std::vector<T> colours = std::vector<T>(2 * kPixels);
};

// Draws in bands of the given number of rows.
template <typename T>
Picture<T> Draw(const Arrays<T>& arrays, const Options& options, int rows = kHeight) {
  Picture<T> picture;
  const Scene<T> scene = arrays.scene();
  const Mesh<T> mesh(scene, options);
  for (int y = 0; y < kHeight; y += rows) {
    DrawBand(scene, mesh, options, y, std::min(kHeight, y + rows), picture.ids.data(),
             picture.depths.data(), picture.colours.data());
  }
  return picture;
}

// Returns the gradient of the vertices, given that of the picture.
template <typename T>
std::vector<Vertex<Real>> Differentiate(const Arrays<T>& arrays, const Options& options,
                                        const std::vector<T>& picture_gradient,
                                        const std::vector<int>& ids,
                                        int64_t* wrong_pixel) {
  const Scene<T> scene = arrays.scene();
  const Mesh<T> mesh(scene, options);
  std::vector<Vertex<Real>> vertices(scene.vertex_count, {0, 0, 0});
  std::vector<Real> uv(arrays.uv.size()), depths(kPixels);
  std::vector<T> texture(arrays.texture.size()), attributes(arrays.attributes.size()),
      background(arrays.background.size());
  *wrong_pixel = DifferentiateBand(
      scene, mesh, options, 0, kHeight, picture_gradient.data(), ids.data(),
      depths.data(), {vertices.data(), uv.data(), texture.data(), attributes.data()},
      background.data());
  return vertices;
}

// Lists the fragments, which must be those of the picture, and differentiates the list.
template <typename T>
void CheckList(const Arrays<T>& arrays, const Options& options,
               const Picture<T>& picture) {
  const Scene<T> scene = arrays.scene();
  const Mesh<T> mesh(scene, options);
  std::vector<int> ids(kPixels);
  std::vector<Real> depths(kPixels), mask(kPixels);
  const std::vector<ListedFragment> list =
      ListBand(scene, mesh, options, 0, kHeight, ids.data(), depths.data());
  EXPECT(ids == picture.ids);
  std::vector<int64_t> pixels;
  for (const ListedFragment& fragment : list) {
    EXPECT(pixels.empty() || pixels.back() <= fragment.pixel);
    EXPECT(fragment.weight > 0);
    EXPECT(fragment.point.triangle >= 0 &&
           fragment.point.triangle < scene.triangle_count);
    pixels.push_back(fragment.pixel);
    mask[fragment.pixel] += fragment.weight;
  }
  for (int i = 0; i < kPixels; ++i) {
    EXPECT(mask[i] < 1 + 1e-9 && (ids[i] < 0 || mask[i] > 1 - 1e-9));
  }

  const std::vector<T> ones(3 * list.size(), T(1));
  std::vector<Vertex<Real>> vertices(scene.vertex_count, {0, 0, 0});
  const auto differentiate = [&](int64_t count) {
    const FragmentGradients<T> gradients = {pixels.data(), 0,           count,
                                            ones.data(),   ones.data(), ones.data()};
    return DifferentiateList(scene, mesh, options, 0, kHeight, gradients, ids.data(),
                             depths.data(), vertices.data());
  };
  EXPECT(differentiate(pixels.size()).pixel == -1);
  if (pixels.empty()) return;
  EXPECT(differentiate(pixels.size() - 1).pixel == pixels.back());
  pixels[0] = kPixels;
  EXPECT(differentiate(pixels.size()).pixel == list[0].pixel);
}

Options MakeOptions(Random& random) {
  const float margins[] = {0, 1, 2.5f, 30};
  return {margins[random.Integer(0, 3)], 0.02f, random.Integer(0, 1) == 0};
}

// All colours are 1: every weighted mean of them must be.
template <typename T>
void TestAnythingIsHarmless(Random& random) {
  for (int round = 0; round < 3000; ++round) {
    const int vertex_count = random.Integer(1, 6), faces = random.Integer(0, 8);
    Arrays<T> arrays;
    for (int i = 0; i < 3 * vertex_count; ++i) {
      arrays.vertices.push_back(random.Wild<T>());
    }
    for (int i = 0; i < 2 * kUvs; ++i) arrays.uv.push_back(random.Wild<T>());
    for (int i = 0; i < 3 * faces; ++i) {
      arrays.triangles.push_back(random.Integer(0, vertex_count - 1));
      arrays.neighbors.push_back(random.Integer(-1, faces - 1));
      arrays.uv_triangles.push_back(random.Integer(0, kUvs - 1));
    }
    arrays.texture.assign(kTextureSize * kTextureSize, T(1));
    arrays.attributes.assign(vertex_count, T(1));
    arrays.background.assign(2 * kPixels, T(1));

    const Options options = MakeOptions(random);
    const Picture<T> picture = Draw(arrays, options);
    for (const T colour : picture.colours) EXPECT(std::abs(colour - 1) < 1e-4);
    const Picture<T> in_bands = Draw(arrays, options, 2);
    EXPECT(picture.ids == in_bands.ids && picture.colours == in_bands.colours);
    CheckList(arrays, options, picture);

    int64_t wrong_pixel;
    std::vector<int> ids = picture.ids;
    Differentiate(arrays, options, arrays.background, ids, &wrong_pixel);
    EXPECT(wrong_pixel == -1);
    ids[kWidth + 1] = random.Integer(0, 1) ? faces : -2;
    Differentiate(arrays, options, arrays.background, ids, &wrong_pixel);
    EXPECT(wrong_pixel == kWidth + 1);
  }
}

void TestDerivative(Random& random) {
  for (int round = 0; round < 200; ++round) {
    const int faces = 8;
    Arrays<double> arrays;
    for (int i = 0; i < 3 * faces; ++i) {
      // Some corners behind the camera.
      const double z = random(-1, 3);
      arrays.vertices.push_back(z * random(-2, 9));
      arrays.vertices.push_back(z * random(-2, 11));
      arrays.vertices.push_back(z);
      arrays.triangles.push_back(i);
      arrays.neighbors.push_back(-1);
      arrays.uv_triangles.push_back(i % kUvs);
      arrays.attributes.push_back(random(-1, 1));
    }
    for (int i = 0; i < 2 * kUvs; ++i) arrays.uv.push_back(random(0, 1));
    for (int i = 0; i < kTextureSize * kTextureSize; ++i) {
      arrays.texture.push_back(random(-1, 1));
    }
    std::vector<double> weights, direction;
    for (int i = 0; i < 2 * kPixels; ++i) {
      arrays.background.push_back(random(-1, 1));
      weights.push_back(random(-1, 1));
    }
    for (const double v : arrays.vertices) direction.push_back(v * random(-1, 1));

    Options options = MakeOptions(random);
    options.margin = std::max(options.margin, 1.0f);
    int64_t wrong_pixel;
    const auto gradient = Differentiate(arrays, options, weights,
                                        Draw(arrays, options).ids, &wrong_pixel);
    double predicted = 0;
    for (int i = 0; i < 3 * faces; ++i) {
      predicted += direction[3 * i] * gradient[i].x +
                   direction[3 * i + 1] * gradient[i].y +
                   direction[3 * i + 2] * gradient[i].z;
    }
    const double step = 1e-7;
    double difference = 0;
    for (const int sign : {1, -1}) {
      Arrays<double> moved = arrays;
      for (size_t i = 0; i < direction.size(); ++i) {
        moved.vertices[i] += sign * step * direction[i];
      }
      const auto picture = Draw(moved, options);
      for (size_t i = 0; i < weights.size(); ++i) {
        difference += sign * weights[i] * picture.colours[i] / (2 * step);
      }
    }
    EXPECT(std::abs(predicted - difference) < 1e-3 * (1 + std::abs(difference)));
  }
}

}  // namespace
}  // namespace unsup3d

int main() {
  unsup3d::Random random;
  unsup3d::TestAnythingIsHarmless<float>(random);
  unsup3d::TestAnythingIsHarmless<double>(random);
  unsup3d::TestDerivative(random);
  std::printf("%d failures\n", unsup3d::failures);
  return unsup3d::failures == 0 ? 0 : 1;
}
