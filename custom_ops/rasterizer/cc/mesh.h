// A picture's mesh made ready for drawing: which triangles and edges take part.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_

#include <vector>

#include "geometry.h"
#include "scene.h"

namespace unsup3d {

struct Mesh {
  const int* triangles;
  std::vector<Vertex<Real>> vertices;  // projected
  std::vector<int> drawn;              // triangles
  std::vector<int> silhouettes;        // edges, 3 * triangle + opposite corner

  void Corners(int triangle, Vertex<Real> corners[3]) const {
    for (int k = 0; k < 3; ++k) corners[k] = vertices[triangles[3 * triangle + k]];
  }
  int First(int edge) const { return triangles[edge - edge % 3 + (edge + 1) % 3]; }
  int Second(int edge) const { return triangles[edge - edge % 3 + (edge + 2) % 3]; }
};

template <typename T>
Mesh PrepareMesh(const Scene<T>& scene, const Options& options) {
  Mesh mesh;
  mesh.triangles = scene.triangles();
  mesh.vertices.reserve(scene.vertex_count);
  for (int64_t i = 0; i < scene.vertex_count; ++i) {
    mesh.vertices.push_back(Project<Real>(scene.vertices + 3 * i));
  }
  std::vector<char> is_drawn(scene.triangle_count);
  for (int f = 0; f < scene.triangle_count; ++f) {
    Vertex<Real> corners[3];
    mesh.Corners(f, corners);
    is_drawn[f] = IsDrawn(corners[0], corners[1], corners[2]);
    if (is_drawn[f]) mesh.drawn.push_back(f);
  }
  if (!(options.margin > 0)) return mesh;
  for (const int f : mesh.drawn) {
    for (int e = 3 * f; e < 3 * f + 3; ++e) {
      const int neighbor = scene.neighbors[e];
      if (neighbor < 0 || !is_drawn[neighbor]) mesh.silhouettes.push_back(e);
    }
  }
  return mesh;
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_MESH_H_
