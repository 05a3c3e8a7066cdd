// Tests the parts of the core: derivatives against central differences, the coverage
// rules, texture weights, the layers of a pixel against a fine sampling of their
// definition, packs against single numbers, sums, affine maps, and value checks. It
// prints the checks that fail, and its exit status is 0 if there are none.

#include "core/geometry.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "core/affine.h"
#include "core/mipmaps.h"
#include "core/pack.h"
#include "core/pixel_layers.h"
#include "core/shading.h"
#include "core/sparse_sums.h"
#include "core/texture.h"
#include "core/texture_step.h"
#include "core/value_checks.h"
#include "tests/expect.h"
#include "tests/random.h"

namespace unsup3d {
namespace {

bool Near(double a, double b, double tolerance) {
  return std::abs(a - b) <= tolerance * (1 + std::abs(a) + std::abs(b));
}

class RandomVertices : public Random {
 public:
  using Random::Random;

  Vertex<double> MakeVertex() {
    const double z = (*this)(1, 4);
    return {(*this)(0, 10) * z, (*this)(0, 10) * z, z};
  }
  // A vertex in front of the camera or behind it.
  Vertex<double> MakeVertexAnywhere() {
    return {(*this)(-5, 15), (*this)(-5, 15), (*this)(-2, 3)};
  }
  Vertex<double> MakeWildVertex() {
    return {Wild<double>(), Wild<double>(), Wild<double>()};
  }
};

// Compares the gradients of vertices with central differences of `value`.
void CheckGradients(std::vector<Vertex<double>> vertices,
                    const std::vector<Vertex<double>>& gradients,
                    const std::function<double(const Vertex<double>*)>& value) {
  const double step = 1e-6;
  for (size_t i = 0; i < vertices.size(); ++i) {
    for (double Vertex<double>::* member :
         {&Vertex<double>::x, &Vertex<double>::y, &Vertex<double>::z}) {
      double& coordinate = vertices[i].*member;
      const double center = coordinate;
      coordinate = center + step;
      const double above = value(vertices.data());
      coordinate = center - step;
      const double below = value(vertices.data());
      coordinate = center;
      EXPECT(Near((above - below) / (2 * step), gradients[i].*member, 1e-5));
    }
  }
}

Vertex<double> At(double x, double y, double z) { return {x * z, y * z, z}; }

Facing FacingOf(const Vertex<double>& a, const Vertex<double>& b,
                const Vertex<double>& c) {
  return FindFacing(SignedVolume(a, b, c), a.z * b.z * c.z);
}

void TestFacing() {
  const auto a = At(0, 0, 1), b = At(0, 1, 2), c = At(1, 0, 3);
  EXPECT(FacingOf(a, b, c) == Facing::kFront);
  EXPECT(FacingOf(b, c, a) == Facing::kFront);
  EXPECT(FacingOf(a, c, b) == Facing::kBack);
  EXPECT(FacingOf(a, b, b) == Facing::kNone);
  EXPECT(FacingOf(a, b, At(1e-11, 0.5, 1)) == Facing::kNone);
  // As a corner moves through the plane of the camera the other side never shows.
  for (const double z : {1.0, 1e-3, 0.0, -1e-3, -1.0}) {
    EXPECT(FacingOf(a, b, {1, 0, z}) == Facing::kFront);
  }
  EXPECT(FacingOf(a, b, {std::nan(""), 0, 1}) == Facing::kNone);
}

void TestFold() {
  // The outer corner of the front triangle is nearer than the fold and that of the back
  // triangle is farther away, or the other way round.
  const auto a = At(0, 0, 2), b = At(0, 4, 2), near = At(4, 2, 1), far = At(3, 2, 3);
  for (const bool front_is_near : {true, false}) {
    const Vertex<double> front[3] = {a, b, front_is_near ? near : far};
    const Vertex<double> back[3] = {front_is_near ? far : near, b, a};
    EXPECT(FacingOf(front[0], front[1], front[2]) == Facing::kFront);
    EXPECT(FacingOf(back[0], back[1], back[2]) == Facing::kBack);
    EXPECT(FrontHidesBack(front, back) == front_is_near);
  }
}

// In a fan of triangles around a point inside a square, even pixels on the inner edges
// are covered by at least one triangle.
void TestNoCracks(RandomVertices& random) {
  for (int round = 0; round < 2000; ++round) {
    const Vertex<double> ring[4] = {At(0, 0, random(1, 3)), At(0, 8, random(1, 3)),
                                    At(8, 8, random(1, 3)), At(8, 0, random(1, 3))};
    const double x = random(1, 7), y = random(1, 7);
    const Vertex<double> middle = At(x, y, random(1, 4));
    // A point on an inner edge, as exactly as doubles can represent it.
    const Vertex<double>& end = ring[round % 4];
    const double along = random(0, 1);
    const double px = x + along * (end.x / end.z - x);
    const double py = y + along * (end.y / end.z - y);
    int covering = 0;
    for (int k = 0; k < 4; ++k) {
      const Vertex<double> corners[3] = {middle, ring[k], ring[(k + 1) % 4]};
      SurfacePoint<double> point;
      covering += CoverPixel(corners, px, py, &point);
    }
    EXPECT(covering >= 1);
  }
}

void TestSurfacePoint(RandomVertices& random) {
  int covered = 0, crossing = 0;
  while (covered < 200) {
    const std::vector<Vertex<double>> corners = {random.MakeVertexAnywhere(),
                                                 random.MakeVertexAnywhere(),
                                                 random.MakeVertexAnywhere()};
    const double px = random(0, 10), py = random(0, 10);
    SurfacePoint<double> point;
    if (!CoverPixel(corners.data(), px, py, &point) || std::abs(point.total) < 5 ||
        point.depth < 0.1) {
      continue;
    }
    ++covered;
    for (const auto& corner : corners) crossing += corner.z < 0;
    EXPECT((FacingOf(corners[0], corners[1], corners[2]) == Facing::kFront) ==
           (point.total < 0));
    // The point in space is the weighted mean of the corners and lies on the pixel's
    // ray.
    double sum = 0;
    Vertex<double> mean = {0, 0, 0};
    for (int k = 0; k < 3; ++k) {
      EXPECT(point.barycentric[k] >= 0);
      sum += point.barycentric[k];
      AddScaled(&mean, point.barycentric[k], corners[k]);
    }
    EXPECT(Near(sum, 1, 1e-12) && Near(mean.z, point.depth, 1e-12));
    EXPECT(Near(mean.x, px * mean.z, 1e-10) && Near(mean.y, py * mean.z, 1e-10));

    const double weights[4] = {random(-1, 1), random(-1, 1), random(-1, 1),
                               random(-1, 1)};
    std::vector<Vertex<double>> gradients(3, {0, 0, 0});
    SurfacePointGradient(corners.data(), px, py, point, weights, weights[3],
                         gradients.data());
    CheckGradients(corners, gradients, [&](const Vertex<double>* moved) {
      SurfacePoint<double> moved_point;
      // If the pixel has slipped over the edge the old point will do.
      if (!CoverPixel(moved, px, py, &moved_point)) moved_point = point;
      return weights[0] * moved_point.barycentric[0] +
             weights[1] * moved_point.barycentric[1] +
             weights[2] * moved_point.barycentric[2] + weights[3] * moved_point.depth;
    });
  }
  EXPECT(crossing > 20);
}

void TestClipEdge() {
  const Vertex<double> front = {4, 6, 2}, back = {8, -6, -2};
  EdgePart<double> part;
  EXPECT(ClipEdge(front, front, &part));
  EXPECT(part.parameters[0] == 0 && part.parameters[1] == 1);
  EXPECT(!ClipEdge(back, back, &part));
  for (const bool reversed : {false, true}) {
    EXPECT(reversed ? ClipEdge(back, front, &part) : ClipEdge(front, back, &part));
    EXPECT(part.ends[reversed].z == 2 && part.parameters[reversed] == reversed);
    const Vertex<double>& cut = part.ends[!reversed];
    EXPECT(cut.z == kNearDepth && Near(part.parameters[!reversed], 0.5, 1e-6));
    EXPECT(Near(cut.x, 6, 1e-5) && Near(cut.y, 0, 1e-5));
  }
  // Nothing jumps as an end passes the near depth.
  const Vertex<double> before = {1, 2, kNearDepth * (1 + 1e-9)};
  const Vertex<double> after = {1, 2, kNearDepth * (1 - 1e-9)};
  EdgePart<double> other;
  EXPECT(ClipEdge(front, before, &part) && ClipEdge(front, after, &other));
  EXPECT(Near(part.ends[1].x, other.ends[1].x, 1e-12));
  EXPECT(Near(part.parameters[1], other.parameters[1], 1e-12));
}

void TestEdgePoint(RandomVertices& random) {
  int inside = 0, crossing = 0;
  for (int round = 0; round < 600; ++round) {
    const bool anywhere = round % 2;
    const std::vector<Vertex<double>> ends = {
        anywhere ? random.MakeVertexAnywhere() : random.MakeVertex(),
        anywhere ? random.MakeVertexAnywhere() : random.MakeVertex()};
    EdgePart<double> part;
    if (!ClipEdge(ends[0], ends[1], &part)) continue;
    const double px = random(0, 10), py = random(0, 10);
    const auto point = NearestOnEdge(part, px, py);
    if (point.distance < 0.1 || point.distance > 100 || point.depth < 0.1) continue;
    inside += point.inside;
    crossing += part.parameters[0] > 0 || part.parameters[1] < 1;
    // The point lies on the edge, and no other visible point of the edge is nearer.
    for (double t = 0; t <= 1; t += 1.0 / 64) {
      Vertex<double> other = ends[0];
      AddScaled(&other, t, ends[1] - ends[0]);
      if (!IsVisible(other)) continue;
      EXPECT(std::hypot(px - other.x / other.z, py - other.y / other.z) >=
             point.distance - 1e-9);
    }
    Vertex<double> nearest = ends[0];
    AddScaled(&nearest, point.parameter, ends[1] - ends[0]);
    EXPECT(Near(nearest.z, point.depth, 1e-12));
    EXPECT(Near(std::hypot(nearest.x / nearest.z - px, nearest.y / nearest.z - py),
                point.distance, 1e-9));

    const double weights[3] = {random(-1, 1), random(-1, 1), random(-1, 1)};
    EdgePart<double> part_gradient = {{{0, 0, 0}, {0, 0, 0}}, {0, 0}};
    EdgePointGradient(part, px, py, point, weights[0], weights[1], weights[2],
                      &part_gradient);
    std::vector<Vertex<double>> gradients(2, {0, 0, 0});
    ClipEdgeGradient(ends[0], ends[1], part, part_gradient, &gradients[0],
                     &gradients[1]);
    CheckGradients(ends, gradients, [&](const Vertex<double>* moved) {
      EdgePart<double> moved_part;
      EXPECT(ClipEdge(moved[0], moved[1], &moved_part));
      const auto p = NearestOnEdge(moved_part, px, py);
      return weights[0] * p.distance + weights[1] * p.parameter + weights[2] * p.depth;
    });
  }
  EXPECT(inside > 100 && inside < 400 && crossing > 50);
  // An edge that is a single point, and a pixel on it.
  const auto a = At(1, 2, 3);
  const EdgePart<double> part = {{a, a}, {0, 1}};
  const auto point = NearestOnEdge(part, 1.0, 2.0);
  EXPECT(point.distance == 0 && Near(point.depth, 3, 1e-12));
}

// The derivative of the visible part itself, whose end slides along the edge.
void TestCutGradient(RandomVertices& random) {
  for (int round = 0; round < 100; ++round) {
    std::vector<Vertex<double>> ends = {random.MakeVertex(), random.MakeVertex()};
    ends[round % 2].z *= -1;
    std::vector<double> weights;
    for (int i = 0; i < 8; ++i) weights.push_back(random(-1, 1));
    const auto value = [&](const Vertex<double>* moved) {
      EdgePart<double> part;
      ClipEdge(moved[0], moved[1], &part);
      double sum = 0;
      for (int i = 0; i < 2; ++i) {
        sum += weights[4 * i] * part.ends[i].x + weights[4 * i + 1] * part.ends[i].y +
               weights[4 * i + 2] * part.ends[i].z +
               weights[4 * i + 3] * part.parameters[i];
      }
      return sum;
    };
    EdgePart<double> part;
    ClipEdge(ends[0], ends[1], &part);
    const EdgePart<double> part_gradient = {
        {{weights[0], weights[1], weights[2]}, {weights[4], weights[5], weights[6]}},
        {weights[3], weights[7]}};
    std::vector<Vertex<double>> gradients(2, {0, 0, 0});
    ClipEdgeGradient(ends[0], ends[1], part, part_gradient, &gradients[0],
                     &gradients[1]);
    CheckGradients(ends, gradients, value);
  }
}

void TestTriangleBounds(RandomVertices& random) {
  for (int round = 0; round < 300; ++round) {
    const Vertex<double> corners[3] = {random.MakeVertexAnywhere(),
                                       random.MakeVertexAnywhere(),
                                       random.MakeVertexAnywhere()};
    const auto bounds = TriangleBounds(corners);
    for (int i = 0; i < 100; ++i) {
      const double px = random(-100, 100), py = random(-100, 100);
      SurfacePoint<double> point;
      if (!CoverPixel(corners, px, py, &point)) continue;
      EXPECT(bounds.left <= px && px <= bounds.right);
      EXPECT(bounds.top <= py && py <= bounds.bottom);
    }
  }
  const Vertex<double> behind[3] = {{1, 2, -1}, {3, 2, -1}, {1, 5, 0}};
  EXPECT(!(TriangleBounds(behind).left <= TriangleBounds(behind).right));
}

void TestTexture(RandomVertices& random) {
  for (int round = 0; round < 300; ++round) {
    const int height = 1 + round % 4, width = 1 + round % 7;
    const TexelGrid grid = {height, width, 0, width};
    const double u = random(-0.2, 1.2), v = random(-0.2, 1.2), step = 1e-7;
    const auto sample = SampleTexture(u, v, grid);
    const auto right = SampleTexture(u + step, v, grid);
    const auto below = SampleTexture(u, v + step, grid);
    double sum = 0;
    for (int k = 0; k < 4; ++k) {
      EXPECT(sample.texels[k] >= 0 && sample.texels[k] < height * width);
      EXPECT(sample.weights[k] >= 0);
      sum += sample.weights[k];
      EXPECT(Near((right.weights[k] - sample.weights[k]) / step, sample.u_slopes[k],
                  1e-6));
      EXPECT(Near((below.weights[k] - sample.weights[k]) / step, sample.v_slopes[k],
                  1e-6));
    }
    EXPECT(Near(sum, 1, 1e-12));
  }
  for (const double wild : {std::nan(""), HUGE_VAL, -HUGE_VAL, 1e300}) {
    const auto sample = SampleTexture(wild, wild, {3, 5, 0, 5});
    for (int k = 0; k < 4; ++k) {
      EXPECT(sample.texels[k] >= 0 && sample.texels[k] < 15);
      EXPECT(std::isfinite(sample.weights[k]));
    }
  }
}

// The levels fill their array without overlapping.
void TestTextureLevels() {
  for (const TextureLevels& levels :
       {TextureLevels{3, 5, 0}, {8, 8, 3}, {4, 12, 2}, {6, 2, 1}, {16, 8, 2}}) {
    std::vector<int> uses(levels.rows() * levels.width);
    for (int level = 0; level <= levels.mipmaps; ++level) {
      const TexelGrid grid = levels.Level(level);
      EXPECT(grid.height << level == levels.height);
      EXPECT(grid.width << level == levels.width);
      for (int y = 0; y < grid.height; ++y) {
        const int row = grid.first + y * grid.stride;
        EXPECT(row / levels.width == (row + grid.width - 1) / levels.width);
        for (int x = 0; x < grid.width; ++x) ++uses.at(row + x);
      }
    }
    for (const int count : uses) EXPECT(count <= 1);
  }
}

void TestDetailLevel() {
  const auto detail = [](double texels, int mipmaps) {
    const DetailLevel<double> found = FindDetailLevel(texels * texels, mipmaps);
    EXPECT(0 <= found.level && found.level + (found.fraction > 0) <= mipmaps);
    EXPECT(0 <= found.fraction && found.fraction < 1);
    return found.level + found.fraction;
  };
  EXPECT(detail(0.3, 4) == 0 && detail(1, 4) == 0);
  EXPECT(detail(16, 4) == 4 && detail(1e9, 4) == 4 && detail(3, 0) == 0);
  EXPECT(detail(std::nan(""), 4) == 0 && detail(HUGE_VAL, 4) == 4);
  for (const double texels : {1.1, 2.0, 3.5, 7.9, 8.1}) {
    EXPECT(Near(detail(texels, 4), std::log2(texels), 1e-12));
    const double square = texels * texels, step = 1e-7;
    const double difference =
        detail(std::sqrt(square + step), 4) - detail(std::sqrt(square - step), 4);
    EXPECT(Near(difference / (2 * step), DetailLevelSlope(square), 1e-6));
  }
}

// The step is the difference of the texture coordinates at two points of the picture,
// and its derivative that of its squared length.
void TestTextureStep(RandomVertices& random) {
  constexpr int kCount = 18;  // numbers in a TexturedPoint
  using Point = TexturedPoint<double>;
  static_assert(sizeof(Point) == kCount * sizeof(double));
  for (int round = 0; round < 300; ++round) {
    Point at;
    for (int k = 0; k < 3; ++k) {
      const double z = random(1, 3);
      at.corners[k] = {z * random(-9, 9), z * random(-9, 9), z};
      at.barycentric[k] = random(0, 1);
      for (double& texel : at.texels[k]) texel = random(-20, 20);
    }
    const double sum = at.barycentric[0] + at.barycentric[1] + at.barycentric[2];
    for (double& b : at.barycentric) b /= sum;
    const TextureStep<double> step = FindTextureStep(at);
    Vertex<double> place = {0, 0, 0};
    for (int k = 0; k < 3; ++k) AddScaled(&place, at.barycentric[k], at.corners[k]);
    const auto texels_at = [&](double px, double py, int d) {
      double edges[3];
      EdgeFunctions(at.corners, px, py, edges);
      const SurfacePoint<double> point = PointSeen(at.corners, edges);
      double texel = 0;
      for (int k = 0; k < 3; ++k) texel += point.barycentric[k] * at.texels[k][d];
      return texel;
    };
    const double px = place.x / place.z, py = place.y / place.z, short_step = 1e-6;
    double longest = 0;
    for (const bool down : {false, true}) {
      double found[2];
      for (int d = 0; d < 2; ++d) {
        const double dx = down ? 0 : short_step, dy = down ? short_step : 0;
        found[d] = (texels_at(px + dx, py + dy, d) - texels_at(px - dx, py - dy, d)) /
                   (2 * short_step);
      }
      const double square = found[0] * found[0] + found[1] * found[1];
      longest = std::max(longest, square);
      if (down != step.down) continue;
      const double scale = 1e-4 * (1 + std::sqrt(square));
      EXPECT(Near(found[0], step.u, scale) && Near(found[1], step.v, scale));
    }
    EXPECT(Near(longest, step.squared_length, 1e-3 * (1 + longest)));

    Point gradient = {};
    TextureStepGradient(at, step, 1.0, &gradient);
    double* const numbers = &at.corners[0].x;
    const double* const slopes = &gradient.corners[0].x;
    for (int i = 0; i < kCount; ++i) {
      const double number = numbers[i];
      double values[2];
      for (int side = 0; side < 2; ++side) {
        numbers[i] = number + (side == 0 ? 1 : -1) * short_step;
        values[side] = FindTextureStep(at).squared_length;
      }
      numbers[i] = number;
      const double difference = (values[0] - values[1]) / (2 * short_step);
      // Narrow triangles have long steps with steep slopes.
      if (step.squared_length > 1e4) continue;
      EXPECT(Near(difference, slopes[i], 1e-3 * (1 + std::abs(slopes[i]))));
    }
  }
}

// The share of each soft fragment and, as the last element, of the sharp surface.
std::vector<double> Shares(const PixelLayers<double>& pixel) {
  std::vector<double> shares(pixel.count + 1, 0.0);
  int layers = 0;
  Layer<double> layer = pixel.FirstLayer();
  while (true) {
    EXPECT(layer.lower <= layer.upper);
    EXPECT(++layers < 1000);
    const int index = layer.fragment == kSharp ? pixel.count : layer.fragment;
    shares[index] += layer.upper - layer.lower;
    if (layer.fragment == kSharp || layers >= 1000) break;
    layer = pixel.NextLayer(layer);
  }
  return shares;
}

void TestLayers(RandomVertices& random) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (int round = 0; round < 400; ++round) {
    const int count = round % 7;
    const double push = round % 5 == 0 ? 0.0 : random(0.01, 0.5);
    std::vector<SoftFragment<double>> fragments;
    for (int i = 0; i < count; ++i) {
      fragments.push_back({0, i, random(0, 1), random(1, 1.4), 0});
    }
    // Where two edges meet, their soft fragments are the same point. A pixel may lie on
    // it.
    if (count > 3) fragments[3] = {0, 3, fragments[1].extent, fragments[1].depth, 0};
    if (count > 4 && round % 3 == 0) fragments[4].extent = 0;
    const double sharp = round % 2 ? random(1, 1.5) : infinity;
    const PixelLayers<double> pixel = {fragments.data(), count, sharp, push};
    const auto shares = Shares(pixel);

    // The definition, sampled at many values of v.
    const int samples = 4000;
    std::vector<double> expected(count + 1, 0.0);
    for (int s = 0; s < samples; ++s) {
      const double v = (s + 0.5) / samples;
      int nearest = count;
      double depth = sharp;
      for (int i = 0; i < count; ++i) {
        const double pushed = fragments[i].depth * (1 + push * fragments[i].extent / v);
        if (fragments[i].extent < v && pushed < depth) {
          nearest = i;
          depth = pushed;
        }
      }
      expected[nearest] += 1.0 / samples;
    }
    for (int i = 0; i <= count; ++i) {
      EXPECT(std::abs(shares[i] - expected[i]) < 4.0 / samples);
    }
  }
}

void TestSingleFragmentOpacity() {
  // 1 - e max(1, push z / (z_s - z)).
  for (const double gap : {0.001, 0.01, 0.02, 0.05, 1.0}) {
    const SoftFragment<double> fragment = {0, 0, 0.3, 2.0, 0};
    const PixelLayers<double> pixel = {&fragment, 1, 2.0 + gap, 0.02};
    const double opacity = std::max(0.0, 1 - 0.3 * std::max(1.0, 0.02 * 2.0 / gap));
    EXPECT(Near(Shares(pixel)[0], opacity, 1e-12));
  }
}

void TestLayerGradients(RandomVertices& random) {
  for (int round = 0; round < 300; ++round) {
    const int count = 1 + round % 5;
    const double push = random(0.05, 0.5);
    std::vector<SoftFragment<double>> fragments;
    std::vector<double> values;
    for (int i = 0; i < count; ++i) {
      fragments.push_back({0, i, random(0.05, 1), random(1, 1.4), 0});
    }
    for (int i = 0; i <= count; ++i) values.push_back(random(-1, 1));
    double sharp = random(1, 1.6);
    const auto value = [&] {
      const auto shares = Shares({fragments.data(), count, sharp, push});
      double sum = 0;
      for (int i = 0; i <= count; ++i) sum += shares[i] * values[i];
      return sum;
    };

    const PixelLayers<double> pixel = {fragments.data(), count, sharp, push};
    std::vector<double> extents(count, 0.0), depths(count + 1, 0.0);
    const auto add_extent = [&](int i, double g) { extents[i] += g; };
    const auto add_depth = [&](int i, double g) {
      depths[i == kSharp ? count : i] += g;
    };
    for (auto layer = pixel.FirstLayer(); layer.fragment != kSharp;
         layer = pixel.NextLayer(layer)) {
      const double next = values[layer.next == kSharp ? count : layer.next];
      pixel.LowerEndGradient(layer, next - values[layer.fragment], add_extent,
                             add_depth);
    }
    const auto check = [&](double& variable, double gradient) {
      const double step = 1e-7, center = variable;
      variable = center + step;
      const double above = value();
      variable = center - step;
      const double below = value();
      variable = center;
      EXPECT(Near((above - below) / (2 * step), gradient, 1e-4));
    };
    for (int i = 0; i < count; ++i) {
      check(fragments[i].extent, extents[i]);
      check(fragments[i].depth, depths[i]);
    }
    check(sharp, depths[count]);
  }
}

// Whether two numbers are bitwise the same or both NaN.
bool AreSame(double a, double b) {
  return std::memcmp(&a, &b, sizeof(a)) == 0 || (std::isnan(a) && std::isnan(b));
}
bool AreSame(const Vertex<double>& a, const Vertex<double>& b) {
  return AreSame(a.x, b.x) && AreSame(a.y, b.y) && AreSame(a.z, b.z);
}

// One lane of a pack, and of a vertex of packs.
double Lane(const Pack& pack, int lane) { return pack.lanes[lane]; }
Vertex<double> Lane(const Vertex<Pack>& vertex, int lane) {
  return {Lane(vertex.x, lane), Lane(vertex.y, lane), Lane(vertex.z, lane)};
}

void TestPacks(RandomVertices& random) {
  int within = 0;
  for (int round = 0; round < 5000; ++round) {
    Vertex<double> corners[kLanes][3], gradients[kLanes][3];
    double px[kLanes], py[kLanes], depth_gradients[kLanes];
    double barycentric_gradients[kLanes][3];
    Vertex<Pack> packed_corners[3], packed_gradients[3];
    Pack packed_px, packed_py, packed_depth_gradient, packed_barycentric_gradient[3];
    for (int lane = 0; lane < kLanes; ++lane) {
      px[lane] = random.Integer(0, 10) + 0.5;
      py[lane] = random.Integer(0, 10) + 0.5;
      depth_gradients[lane] = random(-1, 1);
      packed_px.lanes[lane] = px[lane];
      packed_py.lanes[lane] = py[lane];
      packed_depth_gradient.lanes[lane] = depth_gradients[lane];
      for (int k = 0; k < 3; ++k) {
        corners[lane][k] =
            round % 2 ? random.MakeWildVertex() : random.MakeVertexAnywhere();
        gradients[lane][k] = random.MakeVertexAnywhere();
        barycentric_gradients[lane][k] = random(-1, 1);
        for (Pack Vertex<Pack>::* to :
             {&Vertex<Pack>::x, &Vertex<Pack>::y, &Vertex<Pack>::z}) {
          double Vertex<double>::* const from =
              to == &Vertex<Pack>::x   ? &Vertex<double>::x
              : to == &Vertex<Pack>::y ? &Vertex<double>::y
                                       : &Vertex<double>::z;
          (packed_corners[k].*to).lanes[lane] = corners[lane][k].*from;
          (packed_gradients[k].*to).lanes[lane] = gradients[lane][k].*from;
        }
        packed_barycentric_gradient[k].lanes[lane] = barycentric_gradients[lane][k];
      }
    }
    Pack packed_edges[3];
    EdgeFunctions(packed_corners, packed_px, packed_py, packed_edges);
    const PackMask packed_within = IsWithin(packed_edges);
    const SurfacePoint<Pack> packed_point = PointSeen(packed_corners, packed_edges);
    SurfacePointGradient(packed_corners, packed_px, packed_py, packed_point,
                         packed_barycentric_gradient, packed_depth_gradient,
                         packed_gradients);
    const Pack packed_volume =
        SignedVolume(packed_corners[0], packed_corners[1], packed_corners[2]);
    Bounds<Pack> packed_bounds = NoBounds<Pack>();
    for (const Vertex<Pack>& corner : packed_corners) packed_bounds.Extend(corner);
    for (int lane = 0; lane < kLanes; ++lane) {
      double edges[3];
      EdgeFunctions(corners[lane], px[lane], py[lane], edges);
      const SurfacePoint<double> point = PointSeen(corners[lane], edges);
      SurfacePointGradient(corners[lane], px[lane], py[lane], point,
                           barycentric_gradients[lane], depth_gradients[lane],
                           gradients[lane]);
      EXPECT(packed_within[lane] == IsWithin(edges));
      within += IsWithin(edges);
      EXPECT(AreSame(Lane(packed_point.depth, lane), point.depth));
      EXPECT(AreSame(Lane(packed_point.total, lane), point.total));
      EXPECT(
          AreSame(Lane(packed_volume, lane),
                  SignedVolume(corners[lane][0], corners[lane][1], corners[lane][2])));
      for (int k = 0; k < 3; ++k) {
        EXPECT(AreSame(Lane(packed_edges[k], lane), edges[k]));
        EXPECT(AreSame(Lane(packed_point.barycentric[k], lane), point.barycentric[k]));
        EXPECT(AreSame(Lane(packed_gradients[k], lane), gradients[lane][k]));
        EXPECT(IsVisible(packed_corners[k])[lane] == IsVisible(corners[lane][k]));
      }
      Bounds<double> bounds = NoBounds<double>();
      for (const Vertex<double>& corner : corners[lane]) bounds.Extend(corner);
      EXPECT(AreSame(Lane(packed_bounds.left, lane), bounds.left));
      EXPECT(AreSame(Lane(packed_bounds.top, lane), bounds.top));
      EXPECT(AreSame(Lane(packed_bounds.right, lane), bounds.right));
      EXPECT(AreSame(Lane(packed_bounds.bottom, lane), bounds.bottom));
    }
  }
  EXPECT(within > 500);
}

// Compares sums of a few parts bitwise with plain arrays.
void TestSparseSums(RandomVertices& random) {
  constexpr int64_t kPageRows = SparseSums<double>::kPageRows;
  for (int round = 0; round < 60; ++round) {
    const int width = random.Integer(0, 4), parts = random.Integer(0, 4);
    const int64_t rows = random.Integer(0, round % 3 == 0 ? 1500 : 40);
    const int64_t pages = (rows + kPageRows - 1) / kPageRows;
    const int touched = rows == 0 ? 0 : random.Integer(0, 3000);
    std::vector<SparseSums<double>> sums;
    std::vector<std::vector<double>> plain(parts, std::vector<double>(rows * width));
    std::vector<std::vector<bool>> has_page(parts, std::vector<bool>(pages));
    for (int k = 0; k < parts; ++k) {
      sums.emplace_back(rows, width);
      // Some parts touch only the second half of the rows.
      const int first = random.OneIn(2) ? static_cast<int>(rows / 2) : 0;
      for (int i = 0; i < touched; ++i) {
        const int64_t row = random.Integer(first, static_cast<int>(rows) - 1);
        has_page[k][row / kPageRows] = true;
        double* const values = sums[k].Row(row);
        for (int c = 0; c < width; ++c) {
          const double term = random.Wild<float>();
          values[c] += term;
          plain[k][row * width + c] += term;
        }
      }
      for (int64_t page = 0; page < pages; ++page) {
        EXPECT((sums[k].Page(page) != nullptr) == has_page[k][page]);
      }
    }
    std::vector<double> expected(rows * width);
    for (const std::vector<double>& part : plain) {
      for (size_t i = 0; i < expected.size(); ++i) expected[i] += part[i];
    }
    // Written in two pieces, neither of which writes beyond its rows.
    std::vector<double> written(rows * width, -7.0);
    const int64_t middle = random.Integer(0, static_cast<int>(pages));
    const auto write = [&](int64_t begin, int64_t end) {
      WriteSum<double>(parts, [&](int64_t k) { return &sums[k]; }, begin, end, rows,
                       width, written.data());
    };
    write(middle, pages);
    const int64_t written_from = std::min(middle * kPageRows, rows) * width;
    for (int64_t i = 0; i < written_from; ++i) EXPECT(written[i] == -7);
    write(0, middle);
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT(AreSame(written[i], expected[i]));
    }
  }
}

template <typename T>
void TestNotFinite(RandomVertices& random) {
  const T infinity = std::numeric_limits<T>::infinity();
  const T limit = std::numeric_limits<T>::max();
  const T smallest = std::numeric_limits<T>::denorm_min();
  const std::vector<T> finite = {0, -limit, limit, smallest};
  EXPECT(FindNotFinite(finite.data(), 0) == -1);
  EXPECT(FindNotFinite(finite.data(), 4) == -1);
  for (int round = 0; round < 100; ++round) {
    std::vector<T> values(random.Integer(1, 50), limit);
    const int size = static_cast<int>(values.size());
    const int first = random.Integer(0, size - 1);
    values[first] = round % 3 == 0   ? std::numeric_limits<T>::quiet_NaN()
                    : round % 3 == 1 ? infinity
                                     : -infinity;
    values[random.Integer(first, size - 1)] = infinity;
    EXPECT(FindNotFinite(values.data(), size) == first);
    EXPECT(FindNotFinite(values.data(), first) == -1);
  }
}

template <typename T>
void TestAffineMaps(RandomVertices& random) {
  std::vector<T> points(6), matrices(24);
  for (T& value : points) value = static_cast<T>(random(-3, 3));
  for (T& value : matrices) value = static_cast<T>(random(-3, 3));
  const AffineMaps<T> each = {points.data(), matrices.data(), 2, 1, false};
  const AffineMaps<T> one = {points.data(), matrices.data(), 2, 1, true};
  EXPECT(one.matrix(1) == one.matrix(0));
  for (int picture = 0; picture < 2; ++picture) {
    const T* point = &points[3 * picture];
    T result[3];
    TransformPoint(each.matrix(picture), point, result);
    for (int row = 0; row < 3; ++row) {
      const T* entries = &matrices[12 * picture + 4 * row];
      double expected = entries[3];
      for (int k = 0; k < 3; ++k) expected += double{entries[k]} * double{point[k]};
      EXPECT(Near(result[row], expected, 2 * std::numeric_limits<T>::epsilon()));
    }
  }
  // Invalid values are passed on to whatever checks the result.
  for (T& value : points) value = random.Wild<T>();
  for (T& value : matrices) value = random.Wild<T>();
  points[0] = std::numeric_limits<T>::quiet_NaN();
  T result[3];
  TransformPoint(each.matrix(0), points.data(), result);
  for (const T value : result) EXPECT(std::isnan(value));
}

void TestValueChecks(RandomVertices& random) {
  TestNotFinite<float>(random);
  TestNotFinite<double>(random);
  const int limit = std::numeric_limits<int>::max();
  const std::vector<int> values = {0, 3, -1, 4, limit, -limit - 1};
  EXPECT(FindOutside(values.data(), 0, 0, 0) == -1);
  EXPECT(FindOutside(values.data(), 6, 0, 0) == 0);
  EXPECT(FindOutside(values.data(), 6, -1, 0) == 0);
  EXPECT(FindOutside(values.data(), 6, 0, 4) == 2);
  EXPECT(FindOutside(values.data(), 6, -1, 4) == 3);
  EXPECT(FindOutside(values.data(), 6, -1, 5) == 4);
  // More elements than an index can denote.
  EXPECT(FindOutside(values.data() + 3, 3, 0, int64_t{1} << 40) == 1);
}

}  // namespace
}  // namespace unsup3d

int main() {
  unsup3d::RandomVertices random(7);
  unsup3d::TestFacing();
  unsup3d::TestFold();
  unsup3d::TestNoCracks(random);
  unsup3d::TestSurfacePoint(random);
  unsup3d::TestClipEdge();
  unsup3d::TestEdgePoint(random);
  unsup3d::TestCutGradient(random);
  unsup3d::TestTriangleBounds(random);
  unsup3d::TestTexture(random);
  unsup3d::TestTextureLevels();
  unsup3d::TestDetailLevel();
  unsup3d::TestTextureStep(random);
  unsup3d::TestLayers(random);
  unsup3d::TestSingleFragmentOpacity();
  unsup3d::TestLayerGradients(random);
  unsup3d::TestPacks(random);
  unsup3d::TestSparseSums(random);
  unsup3d::TestAffineMaps<float>(random);
  unsup3d::TestAffineMaps<double>(random);
  unsup3d::TestValueChecks(random);
  std::printf("%d failures\n", unsup3d::failures);
  return unsup3d::failures == 0 ? 0 : 1;
}
