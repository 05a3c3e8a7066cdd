// Draws and differentiates whole pictures: nonsensical meshes, which must do no harm,
// and sensible ones, whose derivative is compared with central differences. It prints
// the checks that fail, and its exit status is 0 if there are none.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <vector>

#include "core/bands.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "tests/expect.h"
#include "tests/pictures.h"
#include "tests/random.h"

namespace unsup3d {
namespace {

// The picture is higher than two bands.
constexpr int kHeight = 35, kWidth = 7, kUvs = 5;
constexpr int kPixels = kHeight * kWidth;

// Arrays for inputs with one texture channel and one attribute channel.
template <typename T>
Arrays<T> MakeArrays(Random& random, int height) {
  Arrays<T> arrays = {};
  arrays.height = height;
  arrays.width = kWidth;
  arrays.texture_levels = random.OneIn(2) ? TextureLevels{3, 3, 0}
                                          : TextureLevels{8, 4, random.Integer(1, 2)};
  arrays.texture_channels = arrays.attribute_channels = 1;
  return arrays;
}

Options MakeOptions(Random& random) {
  const float margins[] = {0, 1, 2.5f, 30};
  return {margins[random.Integer(0, 3)], 0.02f, random.Integer(0, 1) == 0};
}

void TestBands() {
  const int limit = std::numeric_limits<int>::max();
  for (const int height : {1, 15, 16, 17, 33, 500, 4097, limit - 16, limit}) {
    for (const int64_t batch : {1, 3, 40, 1 << 30}) {
      const Bands bands(batch, height);
      EXPECT(bands.units() == batch * bands.count());
      EXPECT(bands.count() == 1 || bands.units() < 32);
      int end = 0;
      for (int band = 0; band < bands.count(); ++band) {
        const PixelRange rows = bands.rows(band);
        EXPECT(rows.begin == end && !rows.empty());
        end = rows.end;
        for (const int row : {rows.begin, rows.end - 1}) {
          const PixelRange holding = bands.Holding({row, row + 1});
          EXPECT(holding.begin == band && holding.end == band + 1);
        }
      }
      EXPECT(end == height);
      const PixelRange all = bands.Holding({0, height});
      EXPECT(all.begin == 0 && all.end == bands.count());
    }
  }
}

// All colours are 1, so every weighted mean of them must be 1.
template <typename T>
void TestAnythingIsHarmless(Random& random) {
  for (int round = 0; round < 3000; ++round) {
    const int vertex_count = random.Integer(1, 6), faces = random.Integer(0, 8);
    Arrays<T> arrays = MakeArrays<T>(random, random.OneIn(2) ? kHeight : 9);
    const auto wild = [&] { return random.Wild<T>(); };
    const auto index = [&](int64_t count, int low, int high) {
      return MakeMany(count, [&] { return random.Integer(low, high); });
    };
    arrays.vertex_count = vertex_count;
    arrays.vertices = MakeMany(3 * vertex_count, wild);
    arrays.uv = MakeMany(2 * kUvs, wild);
    arrays.triangles = index(3 * faces, 0, vertex_count - 1);
    arrays.neighbors = index(3 * faces, -1, faces - 1);
    arrays.uv_triangles = index(3 * faces, 0, kUvs - 1);
    arrays.texture.assign(arrays.texel_count(), T(1));
    arrays.attributes.assign(vertex_count, T(1));
    arrays.background.assign(2 * arrays.pixels(), T(1));

    const Options options = MakeOptions(random);
    const Bands bands = ManyBands(arrays.height);
    const Picture<T> picture = Draw(arrays, options, bands);
    for (const T colour : picture.colours) EXPECT(std::abs(colour - 1) < 1e-4);
    const List<T> list = MakeList(arrays, options, bands);
    CheckList(arrays, list);
    CheckBands(arrays, options, picture, list);
    CheckListGradient(arrays, options, list, 0);

    const auto wrong_pixel = [&](const std::vector<int>& ids) {
      return Differentiate(arrays, options, bands, arrays.background, ids).wrong_pixel;
    };
    std::vector<int> ids = picture.ids;
    EXPECT(wrong_pixel(ids) == -1);
    const int pixel = random.Integer(0, arrays.pixels() - 1);
    ids[pixel] = random.Integer(0, 1) ? faces : -2;
    EXPECT(wrong_pixel(ids) == pixel);
  }
}

// Whether all elements differ by at most a billionth of the largest one.
bool AreNear(const std::vector<double>& a, const std::vector<double>& b) {
  double largest = 0, difference = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(b[i]));
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  return a.size() == b.size() && difference <= 1e-9 * largest;
}

// Sensible inputs, with some corners behind the camera.
Arrays<double> MakeSensible(Random& random, int faces) {
  Arrays<double> arrays = MakeArrays<double>(random, kHeight);
  const auto signed_one = [&] { return random(-1, 1); };
  arrays.vertex_count = 3 * faces;
  for (int i = 0; i < 3 * faces; ++i) {
    const double z = random(-1, 3);
    arrays.vertices.push_back(z * random(-2, 9));
    arrays.vertices.push_back(z * random(-2, kHeight + 2));
    arrays.vertices.push_back(z);
    arrays.triangles.push_back(i);
    arrays.neighbors.push_back(-1);
    arrays.uv_triangles.push_back(i % kUvs);
  }
  arrays.uv = MakeMany(2 * kUvs, [&] { return random(0, 1); });
  arrays.texture = MakeMany(arrays.texel_count(), signed_one);
  arrays.attributes = MakeMany(arrays.vertex_count, signed_one);
  arrays.background = MakeMany(2 * kPixels, signed_one);
  return arrays;
}

// A few triangles look the same alone and among so many triangles without area that
// there are several chunks.
void TestChunks(Random& random) {
  const int faces = 8, count = 4 * 4096;
  // Every second face is the last or the first triangle of a chunk.
  const auto place_of = [](int face) { return 2048 * face - (face % 4 == 2); };
  for (int round = 0; round < 10; ++round) {
    const Arrays<double> arrays = MakeSensible(random, faces);
    Arrays<double> many = arrays;
    many.triangles.assign(3 * count, 0);
    many.neighbors.assign(3 * count, -1);
    many.uv_triangles.assign(3 * count, 0);
    for (int i = 0; i < 3 * faces; ++i) {
      const int at = 3 * place_of(i / 3) + i % 3;
      many.triangles[at] = arrays.triangles[i];
      many.uv_triangles[at] = arrays.uv_triangles[i];
    }
    const Options options = MakeOptions(random);
    const Bands bands = ManyBands(kHeight);
    EXPECT(Mesh<double>(many.inputs(), options, bands).chunks() == 4);
    Picture<double> picture = Draw(arrays, options, bands);
    for (int& id : picture.ids) id = id < 0 ? id : place_of(id);
    const Picture<double> picture_of_many = Draw(many, options, bands);
    EXPECT(AreSame(picture.ids, picture_of_many.ids));
    EXPECT(AreSame(picture.colours, picture_of_many.colours));
  }
}

void TestDerivative(Random& random) {
  for (int round = 0; round < 200; ++round) {
    const Arrays<double> arrays = MakeSensible(random, 8);
    const std::vector<double> weights =
        MakeMany(2 * kPixels, [&] { return random(-1, 1); });
    std::vector<double> direction;
    for (const double v : arrays.vertices) direction.push_back(v * random(-1, 1));

    Options options = MakeOptions(random);
    options.margin = std::max(options.margin, 1.0f);
    const Bands bands = ManyBands(kHeight);
    const std::vector<int> ids = Draw(arrays, options, bands).ids;
    const auto gradients = Differentiate(arrays, options, bands, weights, ids);
    EXPECT(gradients.wrong_pixel == -1);
    double predicted = 0;
    for (size_t i = 0; i < direction.size(); ++i) {
      predicted += direction[i] * gradients.vertices[i];
    }
    const double step = 1e-7;
    double difference = 0;
    for (const int sign : {1, -1}) {
      Arrays<double> moved = arrays;
      for (size_t i = 0; i < direction.size(); ++i) {
        moved.vertices[i] += sign * step * direction[i];
      }
      const auto picture = Draw(moved, options, bands);
      for (size_t i = 0; i < weights.size(); ++i) {
        difference += sign * weights[i] * picture.colours[i] / (2 * step);
      }
    }
    EXPECT(std::abs(predicted - difference) < 1e-3 * (1 + std::abs(difference)));

    // One band, which adds in another order.
    const auto of_one = Differentiate(arrays, options, OneBand(kHeight), weights, ids);
    EXPECT(AreNear(gradients.vertices, of_one.vertices));
    EXPECT(AreNear(gradients.uv, of_one.uv));
    EXPECT(AreNear(gradients.texture, of_one.texture));
    EXPECT(AreNear(gradients.attributes, of_one.attributes));
    EXPECT(AreSame(gradients.background, of_one.background));
  }
}

}  // namespace
}  // namespace unsup3d

int main() {
  unsup3d::Random random(11);
  unsup3d::TestBands();
  unsup3d::TestAnythingIsHarmless<float>(random);
  unsup3d::TestAnythingIsHarmless<double>(random);
  unsup3d::TestChunks(random);
  unsup3d::TestDerivative(random);
  std::printf("%d failures\n", unsup3d::failures);
  return unsup3d::failures == 0 ? 0 : 1;
}
