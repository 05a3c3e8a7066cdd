// Inputs of batches of pictures for the check of the CUDA kernels: the kinds of meshes
// that the tests in emulation draw, and the workloads of the benchmarks.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_INPUTS_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_INPUTS_H_

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

#include "tests/pictures.h"
#include "tests/random.h"

namespace unsup3d {

using Point = std::array<double, 3>;

// The arrays of the inputs of a batch. Those that are not shared by all pictures hold
// one picture after another.
template <typename T>
struct BatchArrays {
  Arrays<T> all;
  int64_t size;

  Arrays<T> picture(int64_t b) const {
    Arrays<T> one = all;
    const auto cut = [&](std::vector<T> Arrays<T>::* values) {
      const int64_t count = (all.*values).size() / size;
      const auto first = (all.*values).begin() + b * count;
      (one.*values).assign(first, first + count);
    };
    cut(&Arrays<T>::vertices);
    cut(&Arrays<T>::texture);
    cut(&Arrays<T>::attributes);
    cut(&Arrays<T>::background);
    return one;
  }
};

// What all batches have: the size of the pictures and how many there are.
struct BatchSize {
  int height, width;
  int64_t pictures;
};

struct Channels {
  int texture, attributes;
};

// Fills an array with random colours.
template <typename T>
std::vector<T> RandomColours(Random& random, int64_t count) {
  return MakeMany(count, [&] { return static_cast<T>(random(-1, 1)); });
}

// Adds random colours to the mesh of a batch.
template <typename T>
void Paint(Random& random, const Channels& channels, int texels,
           BatchArrays<T>* batch) {
  Arrays<T>& all = batch->all;
  all.texture_levels = {texels, texels, 0};
  all.texture_channels = channels.texture;
  all.attribute_channels = channels.attributes;
  all.texture =
      RandomColours<T>(random, batch->size * all.texel_count() * channels.texture);
  all.attributes =
      RandomColours<T>(random, batch->size * all.vertex_count * channels.attributes);
  all.background =
      RandomColours<T>(random, batch->size * all.pixels() * all.channels());
}

// The batch with mipmaps of its textures, of random colours as well.
template <typename T>
BatchArrays<T> WithMipmaps(Random& random, int mipmaps, BatchArrays<T> batch) {
  Arrays<T>& all = batch.all;
  all.texture_levels.mipmaps = mipmaps;
  all.texture =
      RandomColours<T>(random, batch.size * all.texel_count() * all.texture_channels);
  return batch;
}

// A closed mesh without a place in space: directions from a centre.
struct Sphere {
  std::vector<Point> directions;
  std::vector<int> triangles, neighbors, uv_triangles;
  std::vector<double> uv;
};

// For each corner the triangle across the opposite edge, or -1.
inline std::vector<int> FindNeighbors(const std::vector<int>& triangles) {
  // The ends of each edge, the smaller one first, and the edge.
  std::vector<std::pair<std::pair<int, int>, int>> edges;
  for (int edge = 0; edge < static_cast<int>(triangles.size()); ++edge) {
    const int first = edge - edge % 3;
    const int a = triangles[first + (edge + 1) % 3];
    const int b = triangles[first + (edge + 2) % 3];
    edges.push_back({{std::min(a, b), std::max(a, b)}, edge});
  }
  std::sort(edges.begin(), edges.end());
  std::vector<int> neighbors(triangles.size(), -1);
  for (size_t i = 1; i < edges.size(); ++i) {
    if (edges[i - 1].first != edges[i].first) continue;
    neighbors[edges[i - 1].second] = edges[i].second / 3;
    neighbors[edges[i].second] = edges[i - 1].second / 3;
  }
  return neighbors;
}

// An octahedron each of whose edges is divided into `subdivisions` equal angles, with
// 8 subdivisions^2 triangles. The UV map is azimuthally equidistant: the front pole is
// its centre, and the back pole has a UV for each triangle around it.
inline Sphere OctahedralSphere(int subdivisions) {
  constexpr double kPi = 3.14159265358979323846;
  Sphere sphere;
  std::vector<std::vector<int>> rings;
  const auto add_uv = [&](double polar, double azimuth) {
    const double radius = 0.48 * polar / kPi;  // off the border of the texture
    sphere.uv.push_back(0.5 + radius * std::cos(azimuth));
    sphere.uv.push_back(0.5 + radius * std::sin(azimuth));
  };
  for (int ring = 0; ring <= 2 * subdivisions; ++ring) {
    const int size = std::max(1, 4 * std::min(ring, 2 * subdivisions - ring));
    const double polar = kPi * ring / (2 * subdivisions);
    rings.emplace_back();
    for (int i = 0; i < size; ++i) {
      const double azimuth = 2 * kPi * i / size;
      rings.back().push_back(static_cast<int>(sphere.directions.size()));
      sphere.directions.push_back({std::sin(polar) * std::cos(azimuth),
                                   std::sin(polar) * std::sin(azimuth),
                                   -std::cos(polar)});
      if (ring < 2 * subdivisions) add_uv(polar, azimuth);
    }
  }
  // Adds a triangle whose corners run counter-clockwise as seen from outside.
  const auto add = [&](int a, int b, int c) {
    const Point &p = sphere.directions[a], &q = sphere.directions[b],
                &r = sphere.directions[c];
    const double volume = p[0] * (q[1] * r[2] - q[2] * r[1]) +
                          p[1] * (q[2] * r[0] - q[0] * r[2]) +
                          p[2] * (q[0] * r[1] - q[1] * r[0]);
    if (volume < 0) std::swap(b, c);
    for (const int corner : {a, b, c}) sphere.triangles.push_back(corner);
  };
  for (int ring = 0; ring < 2 * subdivisions; ++ring) {
    const bool grows = rings[ring].size() < rings[ring + 1].size();
    const std::vector<int>& inner = rings[grows ? ring : ring + 1];
    const std::vector<int>& outer = rings[grows ? ring + 1 : ring];
    const size_t segments = outer.size() / 4;
    for (size_t i = 0; i < outer.size(); ++i) {
      const size_t start = i / segments * (segments - 1) + i % segments;
      const int near = inner[start % inner.size()];
      const int second = outer[(i + 1) % outer.size()];
      add(outer[i], second, near);
      if (i % segments + 1 < segments) {
        add(near, second, inner[(start + 1) % inner.size()]);
      }
    }
  }
  sphere.neighbors = FindNeighbors(sphere.triangles);
  sphere.uv_triangles = sphere.triangles;
  const int back_pole = static_cast<int>(sphere.directions.size()) - 1;
  for (size_t corner = 0; corner < sphere.triangles.size(); ++corner) {
    if (sphere.triangles[corner] != back_pole) continue;
    double x = 0, y = 0;
    for (size_t k = corner - corner % 3; k < corner - corner % 3 + 3; ++k) {
      if (k == corner) continue;
      x += sphere.directions[sphere.triangles[k]][0];
      y += sphere.directions[sphere.triangles[k]][1];
    }
    sphere.uv_triangles[corner] = static_cast<int>(sphere.uv.size() / 2);
    add_uv(kPi, std::atan2(y, x));
  }
  return sphere;
}

// Adds the vertices of a sphere with waves on it, seen by a camera with a field of view
// of 10 degrees that the unit ball just fits.
template <typename T>
void AddBumpyVertices(Random& random, const Sphere& sphere, double scale,
                      const Point& centre, double amplitude, Arrays<T>* arrays) {
  constexpr double kHalfAngle = 5 * 3.14159265358979323846 / 180;
  const double distance = 1 / std::sin(kHalfAngle);
  const double focal =
      0.5 * std::min(arrays->height, arrays->width) / std::tan(kHalfAngle);
  std::vector<double> radius(sphere.directions.size(), 1.0);
  for (int wave = 0; wave < 6; ++wave) {
    const Point frequency = {random.Normal(3), random.Normal(3), random.Normal(3)};
    const double phase = random(0, 6.28);
    for (size_t i = 0; i < radius.size(); ++i) {
      const Point& d = sphere.directions[i];
      radius[i] += amplitude * std::sin(d[0] * frequency[0] + d[1] * frequency[1] +
                                        d[2] * frequency[2] + phase);
    }
  }
  for (size_t i = 0; i < radius.size(); ++i) {
    const Point& d = sphere.directions[i];
    const double x = scale * radius[i] * d[0] + centre[0];
    const double y = scale * radius[i] * d[1] + centre[1];
    const double z = scale * radius[i] * d[2] + centre[2] + distance;
    arrays->vertices.push_back(static_cast<T>(focal * x + 0.5 * arrays->width * z));
    arrays->vertices.push_back(static_cast<T>(focal * y + 0.5 * arrays->height * z));
    arrays->vertices.push_back(static_cast<T>(z));
  }
}

// A bumpy sphere with a smaller one before it. With `open` a cap is cut off each, so
// that one sees into some of them.
template <typename T>
BatchArrays<T> TwoSpheres(Random& random, const BatchSize& size, int subdivisions,
                          bool open) {
  const Sphere sphere = OctahedralSphere(subdivisions);
  const int vertices = static_cast<int>(sphere.directions.size());
  const int triangles = static_cast<int>(sphere.triangles.size() / 3);
  BatchArrays<T> batch = {{}, size.pictures};
  Arrays<T>& all = batch.all;
  all.height = size.height;
  all.width = size.width;
  all.vertex_count = 2 * vertices;
  for (int64_t b = 0; b < size.pictures; ++b) {
    // Off the axis, lest edges run through pixel centres.
    AddBumpyVertices(random, sphere, 0.6, {0.013, 0.007, 0.2}, 0.12, &all);
    AddBumpyVertices(random, sphere, 0.25, {random(-0.5, 0.5), random(-0.5, 0.5), -1.4},
                     0.12, &all);
  }
  const Point cut = {random(-1, 1), random(-1, 1), random(-1, 1)};
  const double length = std::sqrt(cut[0] * cut[0] + cut[1] * cut[1] + cut[2] * cut[2]);
  std::vector<int> new_indices(2 * triangles, -1);
  int kept = 0;
  for (int f = 0; f < 2 * triangles; ++f) {
    double height = 0;
    for (int k = 0; k < 3; ++k) {
      const Point& d = sphere.directions[sphere.triangles[3 * (f % triangles) + k]];
      height += (d[0] * cut[0] + d[1] * cut[1] + d[2] * cut[2]) / (3 * length);
    }
    if (!open || height < 0.4) new_indices[f] = kept++;
  }
  for (int f = 0; f < 2 * triangles; ++f) {
    if (new_indices[f] < 0) continue;
    const int copy = f / triangles;
    for (int k = 3 * (f % triangles); k < 3 * (f % triangles) + 3; ++k) {
      all.triangles.push_back(sphere.triangles[k] + copy * vertices);
      all.neighbors.push_back(new_indices[sphere.neighbors[k] + copy * triangles]);
      all.uv_triangles.push_back(sphere.uv_triangles[k]);
    }
  }
  all.uv.assign(sphere.uv.begin(), sphere.uv.end());
  Paint(random, {2, 1}, 16, &batch);
  return batch;
}

// A sphere with gentle waves and a texture of 256x256, as the benchmarks draw it.
template <typename T>
BatchArrays<T> GentleSphere(Random& random, const BatchSize& size, int subdivisions) {
  const Sphere sphere = OctahedralSphere(subdivisions);
  BatchArrays<T> batch = {{}, size.pictures};
  Arrays<T>& all = batch.all;
  all.height = size.height;
  all.width = size.width;
  all.vertex_count = static_cast<int64_t>(sphere.directions.size());
  for (int64_t b = 0; b < size.pictures; ++b) {
    AddBumpyVertices(random, sphere, 0.6, {0.0031, 0.0017, 0}, 0.03, &all);
  }
  all.triangles = sphere.triangles;
  all.neighbors = sphere.neighbors;
  all.uv_triangles = sphere.uv_triangles;
  all.uv.assign(sphere.uv.begin(), sphere.uv.end());
  Paint(random, {3, 0}, 256, &batch);
  return batch;
}

// Triangles without neighbours anywhere, also outside of the picture. With a negative
// depth `nearest` of their corners they also reach behind the camera.
template <typename T>
BatchArrays<T> Soup(Random& random, const BatchSize& size, int triangles,
                    double nearest, const Channels& channels) {
  BatchArrays<T> batch = {{}, size.pictures};
  Arrays<T>& all = batch.all;
  all.height = size.height;
  all.width = size.width;
  all.vertex_count = 3 * triangles;
  for (int64_t i = 0; i < size.pictures * all.vertex_count; ++i) {
    const double z = random(nearest, 3);
    all.vertices.push_back(static_cast<T>(z * random(-0.3, 1.3) * size.width));
    all.vertices.push_back(static_cast<T>(z * random(-0.3, 1.3) * size.height));
    all.vertices.push_back(static_cast<T>(z));
  }
  for (int i = 0; i < 3 * triangles; ++i) all.triangles.push_back(i);
  all.neighbors.assign(3 * triangles, -1);
  all.uv_triangles = all.triangles;
  all.uv = MakeMany(6 * triangles, [&] { return static_cast<T>(random(-0.1, 1.1)); });
  Paint(random, channels, 7, &batch);
  return batch;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_INPUTS_H_
