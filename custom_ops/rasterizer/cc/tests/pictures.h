// Draws and differentiates whole pictures for the test programs, band by band as the
// kernels do.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_PICTURES_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_PICTURES_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "core/bands.h"
#include "core/differentiate.h"
#include "core/draw.h"
#include "core/fragment_list.h"
#include "core/mesh.h"
#include "core/picture_inputs.h"
#include "core/sparse_sums.h"
#include "tests/expect.h"

namespace unsup3d {

// The arrays of the inputs of a picture.
template <typename T>
struct Arrays {
  int height, width;
  TextureLevels texture_levels;
  int texture_channels, attribute_channels;
  int64_t vertex_count;
  std::vector<T> vertices, uv, texture, attributes, background;
  std::vector<int> triangles, neighbors, uv_triangles;

  int channels() const { return texture_channels + attribute_channels; }
  int pixels() const { return height * width; }
  int triangle_count() const { return static_cast<int>(triangles.size() / 3); }
  int64_t uv_count() const { return static_cast<int64_t>(uv.size() / 2); }
  int64_t texel_count() const {
    return int64_t{texture_levels.rows()} * texture_levels.width;
  }

  PictureInputs<T> inputs() const {
    const Material<T> material = {triangles.data(), uv_triangles.data(), uv.data(),
                                  texture.data(),   attributes.data(),   texture_levels,
                                  texture_channels, attribute_channels};
    const Surface<T> surface = {vertices.data(),
                                triangles.data(),
                                neighbors.data(),
                                vertex_count,
                                triangle_count(),
                                height,
                                width};
    return {surface, material, background.data(), uv_count(), channels()};
  }
};

// The bands of a single picture, and those of a picture in a batch so large that each
// picture is one band.
inline Bands ManyBands(int height) { return Bands(1, height); }
inline Bands OneBand(int height) { return Bands(1000, height); }

// Whether two arrays have the same bits.
template <typename Value>
bool AreSame(const std::vector<Value>& a, const std::vector<Value>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(Value)) == 0);
}

// Prepares a mesh. `place` is FindFacings or PlaceTriangles.
template <typename T>
Mesh<T> MakeMesh(const Surface<T>& surface, const Options& options, const Bands& bands,
                 void (Mesh<T>::*place)(int)) {
  Mesh<T> mesh(surface, options, bands);
  for (int chunk = 0; chunk < mesh.chunks(); ++chunk) (mesh.*place)(chunk);
  for (int chunk = 0; chunk < mesh.chunks(); ++chunk) mesh.PlaceSilhouettes(chunk);
  return mesh;
}

template <typename T>
struct Picture {
  std::vector<int> ids;
  std::vector<T> colours;
};

template <typename T>
Picture<T> Draw(const Arrays<T>& arrays, const Options& options, const Bands& bands) {
  Picture<T> picture = {std::vector<int>(arrays.pixels(), arrays.triangle_count()),
                        std::vector<T>(arrays.background.size(), T(-7))};
  const PictureInputs<T> inputs = arrays.inputs();
  const Mesh<T> mesh = MakeMesh(inputs, options, bands, &Mesh<T>::PlaceTriangles);
  // The order does not matter, since no band depends on another.
  for (int band = bands.count() - 1; band >= 0; --band) {
    DrawBand(inputs, mesh, options, band, picture.ids.data(), picture.colours.data());
  }
  return picture;
}

template <typename T>
struct Gradients {
  // The first one, or -1. If there is one the gradients are incomplete.
  int64_t wrong_pixel;
  std::vector<T> vertices, uv, texture, attributes, background;
};

// Adds up the `sums` of all bands.
template <typename T, typename Band, typename Value>
std::vector<T> Sum(const std::vector<Band>& bands, SparseSums<Value> Band::* sums,
                   int64_t rows, int64_t width) {
  constexpr int64_t kPageRows = SparseSums<Value>::kPageRows;
  std::vector<T> sum(rows * width, T(-7));
  WriteSum<Value>(bands.size(), [&](int64_t k) { return &(bands[k].*sums); }, 0,
                  (rows + kPageRows - 1) / kPageRows, rows, width, sum.data());
  return sum;
}

template <typename T>
Gradients<T> Differentiate(const Arrays<T>& arrays, const Options& options,
                           const Bands& bands, const std::vector<T>& picture_gradient,
                           const std::vector<int>& ids, bool wants_uv = true) {
  const PictureInputs<T> inputs = arrays.inputs();
  const Mesh<T> mesh = MakeMesh(inputs, options, bands, &Mesh<T>::FindFacings);
  std::vector<BandGradients<T>> parts;
  std::vector<T> background(arrays.background.size(), T(-7));
  int64_t wrong_pixel = -1;
  for (int band = 0; band < bands.count(); ++band) {
    parts.emplace_back(inputs, wants_uv);
    const int64_t wrong =
        DifferentiateBand(inputs, mesh, options, band, picture_gradient.data(),
                          ids.data(), &parts.back(), background.data());
    if (wrong_pixel < 0) wrong_pixel = wrong;
  }
  using Part = BandGradients<T>;
  return {
      wrong_pixel,
      Sum<T>(parts, &Part::vertices, inputs.vertex_count, 3),
      Sum<T>(parts, &Part::uv, wants_uv ? inputs.uv_count : 0, 2),
      Sum<T>(parts, &Part::texture, inputs.texel_count(), arrays.texture_channels),
      Sum<T>(parts, &Part::attributes, inputs.vertex_count, arrays.attribute_channels),
      background};
}

// A fragment list in the form in which the ops return it.
template <typename T>
struct List {
  std::vector<int> ids;
  std::vector<int64_t> pixels;
  std::vector<int> triangles;
  std::vector<Real> barycentric, depths, weights;
};

template <typename T>
List<T> MakeList(const Arrays<T>& arrays, const Options& options, const Bands& bands) {
  List<T> list;
  list.ids.resize(arrays.pixels());
  const Surface<T> surface = arrays.inputs();
  const Mesh<T> mesh = MakeMesh(surface, options, bands, &Mesh<T>::PlaceTriangles);
  for (int band = 0; band < bands.count(); ++band) {
    for (const Fragment& fragment :
         ListBand(surface, mesh, options, band, list.ids.data())) {
      list.pixels.push_back(fragment.pixel);
      list.triangles.push_back(fragment.point.triangle);
      for (const Real b : fragment.point.barycentric) list.barycentric.push_back(b);
      list.depths.push_back(fragment.point.depth);
      list.weights.push_back(fragment.weight);
    }
  }
  return list;
}

// Differentiates the fragment list of a batch for the picture whose first pixel is
// `gradients.first_pixel`, and adds to `vertex_gradients`.
template <typename T>
Mismatch DifferentiateFragments(const Arrays<T>& arrays, const Options& options,
                                const Bands& bands,
                                const FragmentListGradient<T>& gradients,
                                const std::vector<int>& ids,
                                SparseSums<Real>* vertex_gradients) {
  const Surface<T> surface = arrays.inputs();
  const Mesh<T> mesh = MakeMesh(surface, options, bands, &Mesh<T>::FindFacings);
  const int64_t* const end = gradients.pixels + gradients.count;
  const auto list_from = [&](int row) {
    return std::lower_bound(gradients.pixels, end,
                            gradients.first_pixel + int64_t{row} * arrays.width) -
           gradients.pixels;
  };
  Mismatch mismatch;
  for (int band = 0; band < bands.count(); ++band) {
    const PixelRange rows = bands.rows(band);
    const int64_t start = list_from(rows.begin);
    const FragmentListGradient<T> of_rows = {
        gradients.pixels + start,    gradients.first_pixel,
        list_from(rows.end) - start, gradients.barycentric + 3 * start,
        gradients.depth + start,     gradients.weight + start};
    const Mismatch of_band = DifferentiateList(surface, mesh, options, band, of_rows,
                                               ids.data(), vertex_gradients);
    if (mismatch.pixel < 0) mismatch = of_band;
  }
  return mismatch;
}

// Differentiates a fragment list with the given `pixels`. The first pixel of the
// picture is `first_pixel`. The derivative with respect to each number of the list
// is 1.
template <typename T>
Mismatch DifferentiatePixels(const Arrays<T>& arrays, const Options& options,
                             const Bands& bands, const std::vector<int64_t>& pixels,
                             int64_t first_pixel, const std::vector<int>& ids) {
  const std::vector<T> ones(3 * pixels.size(), T(1));
  const FragmentListGradient<T> gradients = {
      pixels.data(), first_pixel, static_cast<int64_t>(pixels.size()),
      ones.data(),   ones.data(), ones.data()};
  SparseSums<Real> vertex_gradients(arrays.vertex_count, 3);
  Mismatch mismatch =
      DifferentiateFragments(arrays, options, bands, gradients, ids, &vertex_gradients);
  const int64_t end = first_pixel + arrays.pixels();
  if (mismatch.pixel < 0 &&
      (std::lower_bound(pixels.begin(), pixels.end(), first_pixel) != pixels.begin() ||
       std::lower_bound(pixels.begin(), pixels.end(), end) != pixels.end())) {
    mismatch.pixel = 0;  // the op rejects pixels outside of the picture
  }
  return mismatch;
}

// Checks invariants of the list of any picture: each pixel shows a triangle or none,
// and a weighted mean of points on the surface.
template <typename T>
void CheckList(const Arrays<T>& arrays, const List<T>& list) {
  const int triangles = arrays.triangle_count();
  std::vector<Real> mask(arrays.pixels());
  for (size_t i = 0; i < list.pixels.size(); ++i) {
    const int64_t pixel = list.pixels[i];
    EXPECT(0 <= pixel && pixel < arrays.pixels());
    EXPECT(i == 0 || list.pixels[i - 1] <= pixel);
    EXPECT(0 <= list.triangles[i] && list.triangles[i] < triangles);
    EXPECT(list.weights[i] > 0);
    EXPECT(list.depths[i] > 0 &&
           list.depths[i] < std::numeric_limits<Real>::infinity());
    Real sum = 0;
    for (int k = 0; k < 3; ++k) {
      EXPECT(list.barycentric[3 * i + k] >= 0);
      sum += list.barycentric[3 * i + k];
    }
    EXPECT(std::abs(sum - 1) < 1e-9);
    mask[pixel] += list.weights[i];
  }
  for (int i = 0; i < arrays.pixels(); ++i) {
    EXPECT(-1 <= list.ids[i] && list.ids[i] < triangles);
    EXPECT(mask[i] < 1 + 1e-9 && (list.ids[i] < 0 || mask[i] > 1 - 1e-9));
  }
}

// Checks that a picture and its fragment list are bitwise the same for one band as for
// many, and that both have the same triangle indices.
template <typename T>
void CheckBands(const Arrays<T>& arrays, const Options& options,
                const Picture<T>& picture, const List<T>& list) {
  EXPECT(AreSame(list.ids, picture.ids));
  const Bands one = OneBand(arrays.height);
  EXPECT(one.count() == 1);
  if (ManyBands(arrays.height).count() == 1) return;
  const Picture<T> picture_of_one = Draw(arrays, options, one);
  EXPECT(AreSame(picture.ids, picture_of_one.ids));
  EXPECT(AreSame(picture.colours, picture_of_one.colours));
  const List<T> list_of_one = MakeList(arrays, options, one);
  EXPECT(AreSame(list.ids, list_of_one.ids));
  EXPECT(AreSame(list.pixels, list_of_one.pixels));
  EXPECT(AreSame(list.triangles, list_of_one.triangles));
  EXPECT(AreSame(list.barycentric, list_of_one.barycentric));
  EXPECT(AreSame(list.depths, list_of_one.depths));
  EXPECT(AreSame(list.weights, list_of_one.weights));
}

// Checks that the derivative of a fragment list accepts the right pixels and detects
// wrong ones.
template <typename T>
void CheckListGradient(const Arrays<T>& arrays, const Options& options,
                       const List<T>& list, int64_t first_pixel) {
  const Bands bands = ManyBands(arrays.height);
  std::vector<int64_t> pixels = list.pixels;
  for (int64_t& pixel : pixels) pixel += first_pixel;
  const auto mismatch = [&](const std::vector<int64_t>& changed) {
    return DifferentiatePixels(arrays, options, bands, changed, first_pixel, list.ids);
  };
  EXPECT(mismatch(pixels).pixel == -1);
  if (pixels.empty()) return;
  EXPECT(mismatch({pixels.begin(), pixels.end() - 1}).pixel == list.pixels.back());
  std::vector<int64_t> changed = pixels;
  changed[0] = first_pixel + arrays.pixels();
  EXPECT(mismatch(changed).pixel == list.pixels[0]);
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_PICTURES_H_
