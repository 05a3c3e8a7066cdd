// CPU kernels of RenderMesh and RenderMeshGrad.
//
// The work is cut into units of one band of rows of one picture each. How many bands
// there are depends on the sizes alone, every unit writes to memory of its own, and
// the units' gradients are summed in their order: the result is the same to the last
// bit with any number of threads. Everything is computed in double precision, also
// for float inputs.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "fragments.h"
#include "geometry.h"
#include "shading.h"
#include "tensorflow/core/framework/op_kernel.h"
#include "tensorflow/core/lib/core/threadpool.h"

namespace unsup3d {
namespace {

using tensorflow::OpKernel;
using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::errors::InvalidArgument;

using Real = double;

constexpr int kMinUnits = 8;      // so that a single picture also uses all threads
constexpr int kMinBandRows = 16;  // a band costs a pass over all triangles
constexpr int kSoftRows = 8;      // rows whose fragments are held in memory at once

// ---------------------------------------------------------------- input validation

// The inputs common to both ops, as tensors and as sizes.
struct Inputs {
  const Tensor *vertices, *triangles, *neighbors, *uv, *uv_triangles, *texture,
      *attributes, *background;
  int64_t batch, vertex_count, uv_count;
  int triangle_count, height, width, texture_height, texture_width,
      texture_channels, attribute_channels, channels;
};

absl::Status CheckShape(const char* name, const Tensor& tensor, int rank,
                        const char* expected, bool last_dim_fits) {
  if (tensor.dims() == rank && last_dim_fits) return absl::OkStatus();
  return InvalidArgument(name, " must have the shape ", expected, ", got ",
                         tensor.shape().DebugString());
}

absl::Status CheckRank(const char* name, const Tensor& tensor, int rank,
                       const char* expected, int last_dim = -1) {
  const bool fits = tensor.dims() == rank &&
                    (last_dim < 0 || tensor.dim_size(rank - 1) == last_dim);
  return CheckShape(name, tensor, rank, expected, fits);
}

absl::Status CheckSame(const char* what, const char* name, int64_t value,
                       const char* other_name, int64_t other) {
  if (value == other) return absl::OkStatus();
  return InvalidArgument(name, " and ", other_name, " differ in their ", what, ": ",
                         value, " and ", other);
}

absl::Status CheckIndices(const char* name, const Tensor& tensor, int64_t lowest,
                          int64_t end, const char* of) {
  const auto values = tensor.flat<int32_t>();
  for (int64_t i = 0; i < values.size(); ++i) {
    if (values(i) < lowest || values(i) >= end) {
      return InvalidArgument(name, "[", i / 3, ", ", i % 3, "] is ", values(i),
                             ", outside of ", lowest, " .. ", end - 1, ", there are ",
                             end, " ", of);
    }
  }
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckFinite(const char* name, const Tensor& tensor) {
  const T* values = tensor.flat<T>().data();
  const int64_t size = tensor.NumElements();
  bool finite = true;
  for (int64_t i = 0; i < size; ++i) finite &= std::isfinite(values[i]);
  if (finite) return absl::OkStatus();
  int64_t index = 0;
  while (std::isfinite(values[index])) ++index;
  std::string position;
  for (int d = tensor.dims() - 1; d >= 0; --d) {
    position = std::to_string(index % tensor.dim_size(d)) +
               (position.empty() ? "" : ", ") + position;
    index /= tensor.dim_size(d);
  }
  return InvalidArgument(name, " must be finite, but ", name, "[", position,
                         "] is not");
}

template <typename T>
absl::Status ReadInputs(OpKernelContext* context, int first, Inputs* in) {
  in->vertices = &context->input(first);
  in->triangles = &context->input(first + 1);
  in->neighbors = &context->input(first + 2);
  in->uv = &context->input(first + 3);
  in->uv_triangles = &context->input(first + 4);
  in->texture = &context->input(first + 5);
  in->attributes = &context->input(first + 6);
  in->background = &context->input(first + 7);
  TF_RETURN_IF_ERROR(CheckRank("vertices", *in->vertices, 3,
                               "[batch, vertices, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("triangles", *in->triangles, 2, "[triangles, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("neighbors", *in->neighbors, 2, "[triangles, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("uv", *in->uv, 2, "[uvs, 2]", 2));
  TF_RETURN_IF_ERROR(
      CheckRank("uv_triangles", *in->uv_triangles, 2, "[triangles, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("texture", *in->texture, 4,
                               "[batch, height, width, channels]"));
  TF_RETURN_IF_ERROR(CheckRank("attributes", *in->attributes, 3,
                               "[batch, vertices, channels]"));
  TF_RETURN_IF_ERROR(CheckRank("background", *in->background, 4,
                               "[batch, height, width, channels]"));

  in->batch = in->vertices->dim_size(0);
  in->vertex_count = in->vertices->dim_size(1);
  in->uv_count = in->uv->dim_size(0);
  TF_RETURN_IF_ERROR(CheckSame("batch size", "texture", in->texture->dim_size(0),
                               "vertices", in->batch));
  TF_RETURN_IF_ERROR(CheckSame("batch size", "attributes",
                               in->attributes->dim_size(0), "vertices", in->batch));
  TF_RETURN_IF_ERROR(CheckSame("batch size", "background",
                               in->background->dim_size(0), "vertices", in->batch));
  TF_RETURN_IF_ERROR(CheckSame("number of vertices", "attributes",
                               in->attributes->dim_size(1), "vertices",
                               in->vertex_count));
  const int64_t triangles = in->triangles->dim_size(0);
  TF_RETURN_IF_ERROR(CheckSame("number of triangles", "neighbors",
                               in->neighbors->dim_size(0), "triangles", triangles));
  TF_RETURN_IF_ERROR(CheckSame("number of triangles", "uv_triangles",
                               in->uv_triangles->dim_size(0), "triangles",
                               triangles));
  if (in->background->dim_size(3) !=
      in->texture->dim_size(3) + in->attributes->dim_size(2)) {
    return InvalidArgument(
        "background must have as many channels as texture and attributes together, ",
        in->texture->dim_size(3), " + ", in->attributes->dim_size(2), ", got ",
        in->background->dim_size(3));
  }
  if (in->background->dim_size(1) == 0 || in->background->dim_size(2) == 0) {
    return InvalidArgument("background must have a height and width of at least 1, ",
                           "got ", in->background->shape().DebugString());
  }
  if (in->texture->dim_size(3) > 0 &&
      (in->texture->dim_size(1) == 0 || in->texture->dim_size(2) == 0)) {
    return InvalidArgument("texture must have a height and width of at least 1, got ",
                           in->texture->shape().DebugString());
  }

  // Pixels, texels, edges and channels are counted in int.
  const int64_t limit = std::numeric_limits<int32_t>::max();
  const auto too_many = [limit](int64_t a, int64_t b) {
    return a > limit || b > limit || (b > 0 && a > limit / b);
  };
  if (too_many(in->background->dim_size(1), in->background->dim_size(2)) ||
      in->background->dim_size(3) > limit) {
    return InvalidArgument("background has too many pixels or channels: ",
                           in->background->shape().DebugString());
  }
  if (too_many(in->texture->dim_size(1), in->texture->dim_size(2))) {
    return InvalidArgument("texture has too many texels: ",
                           in->texture->shape().DebugString());
  }
  if (too_many(triangles, 3)) {
    return InvalidArgument("triangles has too many rows: ", triangles);
  }
  in->triangle_count = static_cast<int>(triangles);
  in->height = static_cast<int>(in->background->dim_size(1));
  in->width = static_cast<int>(in->background->dim_size(2));
  in->channels = static_cast<int>(in->background->dim_size(3));
  in->texture_height = static_cast<int>(in->texture->dim_size(1));
  in->texture_width = static_cast<int>(in->texture->dim_size(2));
  in->texture_channels = static_cast<int>(in->texture->dim_size(3));
  in->attribute_channels = static_cast<int>(in->attributes->dim_size(2));

  TF_RETURN_IF_ERROR(
      CheckIndices("triangles", *in->triangles, 0, in->vertex_count, "vertices"));
  TF_RETURN_IF_ERROR(
      CheckIndices("uv_triangles", *in->uv_triangles, 0, in->uv_count, "uvs"));
  TF_RETURN_IF_ERROR(
      CheckIndices("neighbors", *in->neighbors, -1, triangles, "triangles"));
  TF_RETURN_IF_ERROR(CheckFinite<T>("vertices", *in->vertices));
  return CheckFinite<T>("uv", *in->uv);
}

// The attributes of both ops.
struct SoftLayer {
  float margin, depth_push;

  absl::Status Read(OpKernelConstruction* construction) {
    TF_RETURN_IF_ERROR(construction->GetAttr("margin", &margin));
    TF_RETURN_IF_ERROR(construction->GetAttr("depth_push", &depth_push));
    if (!(std::isfinite(margin) && margin >= 0)) {
      return InvalidArgument("margin must be finite and at least 0, got ", margin);
    }
    if (!(std::isfinite(depth_push) && depth_push >= 0)) {
      return InvalidArgument("depth_push must be finite and at least 0, got ",
                             depth_push);
    }
    return absl::OkStatus();
  }
};

// --------------------------------------------------------------------- work units

void ParallelFor(OpKernelContext* context, int64_t count,
                 const std::function<void(int64_t)>& work) {
  using tensorflow::thread::ThreadPool;
  context->device()->tensorflow_cpu_worker_threads()->workers->ParallelFor(
      count,
      ThreadPool::SchedulingParams(ThreadPool::SchedulingStrategy::kFixedBlockSize,
                                   absl::nullopt, 1),
      [&work](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) work(i);
      });
}

// How the pictures are cut into bands of rows.
struct Bands {
  int64_t batch;
  int height, count, rows;

  Bands(int64_t batch, int height) : batch(batch), height(height) {
    const int64_t wanted =
        batch > 0 ? (kMinUnits + batch - 1) / batch : 1;
    const int possible = std::max(1, height / kMinBandRows);
    count = static_cast<int>(std::min<int64_t>(wanted, possible));
    rows = (height + count - 1) / count;
    count = (height + rows - 1) / rows;
  }
  int64_t units() const { return batch * count; }
  int64_t picture(int64_t unit) const { return unit / count; }
  int begin(int64_t unit) const { return static_cast<int>(unit % count) * rows; }
  int end(int64_t unit) const { return std::min(height, begin(unit) + rows); }
};

// The pixels whose centres lie in [low, high], cut to [begin, end): first and one
// past the last. Any numbers will do.
struct PixelRange {
  int begin, end;
};

PixelRange PixelsBetween(Real low, Real high, int begin, int end) {
  // Cut to the range before they become integers, which also rounds towards zero
  // then; std::ceil and std::floor would be calls to a library here.
  const Real from = low - 0.5, to = high - 0.5;
  const Real first = from > begin - 1 ? (from < end ? from : end) : begin - 1;
  const Real last = to > begin - 1 ? (to < end - 1 ? to : end - 1) : begin - 1;
  const int rounded_first = static_cast<int>(first);
  const int rounded_last = static_cast<int>(last);
  return {std::max(begin, rounded_first + (rounded_first < first)),
          rounded_last - (rounded_last > last) + 1};
}

// ------------------------------------------------------------------- mesh geometry

// One picture's mesh after projection.
struct Mesh {
  const int* triangles;
  const Vertex<Real>* vertices;
  std::vector<int> drawn;        // triangles
  std::vector<int> silhouettes;  // edges, 3 * triangle + opposite corner

  void Corners(int triangle, Vertex<Real> corners[3]) const {
    for (int k = 0; k < 3; ++k) corners[k] = vertices[triangles[3 * triangle + k]];
  }
  int First(int edge) const { return triangles[edge - edge % 3 + (edge + 1) % 3]; }
  int Second(int edge) const { return triangles[edge - edge % 3 + (edge + 2) % 3]; }
};

// All pictures' meshes, with the memory for their vertices.
struct Meshes {
  Tensor projected;  // bytes
  std::vector<Mesh> meshes;
};

template <typename T>
absl::Status PrepareMeshes(OpKernelContext* context, const Inputs& in, float margin,
                           Meshes* prepared) {
  const int64_t count = in.vertex_count;
  TF_RETURN_IF_ERROR(context->allocate_temp(
      tensorflow::DT_DOUBLE, TensorShape({in.batch, count, 3}),
      &prepared->projected));
  static_assert(sizeof(Vertex<Real>) == 3 * sizeof(double), "packed vertices");
  auto* projected =
      reinterpret_cast<Vertex<Real>*>(prepared->projected.flat<double>().data());
  const T* vertices = in.vertices->flat<T>().data();
  const int* triangles = in.triangles->flat<int32_t>().data();
  const int* neighbors = in.neighbors->flat<int32_t>().data();
  prepared->meshes.resize(in.batch);
  ParallelFor(context, in.batch, [&](int64_t b) {
    Mesh& mesh = prepared->meshes[b];
    Vertex<Real>* target = projected + b * count;
    for (int64_t i = 0; i < count; ++i) {
      target[i] = Project<Real>(vertices + 3 * (b * count + i));
    }
    mesh.triangles = triangles;
    mesh.vertices = target;
    std::vector<char> is_drawn(in.triangle_count);
    for (int f = 0; f < in.triangle_count; ++f) {
      Vertex<Real> corners[3];
      mesh.Corners(f, corners);
      is_drawn[f] = IsDrawn(corners[0], corners[1], corners[2]);
      if (is_drawn[f]) mesh.drawn.push_back(f);
    }
    if (!(margin > 0)) return;
    for (const int f : mesh.drawn) {
      for (int e = 3 * f; e < 3 * f + 3; ++e) {
        if (neighbors[e] < 0 || !is_drawn[neighbors[e]]) {
          mesh.silhouettes.push_back(e);
        }
      }
    }
  });
  return absl::OkStatus();
}

// Draws the sharp layer of the rows begin .. end. `ids` and `depths` belong to the
// first pixel of the band.
void DrawSharp(const Mesh& mesh, int begin, int end, int width, int* ids,
               Real* depths) {
  const int64_t size = static_cast<int64_t>(end - begin) * width;
  std::fill(ids, ids + size, kSharp);
  std::fill(depths, depths + size, std::numeric_limits<Real>::infinity());
  for (const int f : mesh.drawn) {
    Vertex<Real> corners[3];
    mesh.Corners(f, corners);
    const PixelRange rows = PixelsBetween(
        std::min(std::min(corners[0].y, corners[1].y), corners[2].y),
        std::max(std::max(corners[0].y, corners[1].y), corners[2].y), begin, end);
    if (rows.begin >= rows.end) continue;
    const PixelRange columns = PixelsBetween(
        std::min(std::min(corners[0].x, corners[1].x), corners[2].x),
        std::max(std::max(corners[0].x, corners[1].x), corners[2].x), 0, width);
    if (columns.begin >= columns.end) continue;
    for (int y = rows.begin; y < rows.end; ++y) {
      for (int x = columns.begin; x < columns.end; ++x) {
        SurfacePoint<Real> point;
        if (!CoverPixel(corners, x + 0.5, y + 0.5, &point)) continue;
        const int64_t i = static_cast<int64_t>(y - begin) * width + x;
        // Triangles come in ascending order: of equally near ones the first stays.
        if (point.depth < depths[i]) {
          depths[i] = point.depth;
          ids[i] = f;
        }
      }
    }
  }
}

// The soft fragments of some rows, pixel by pixel.
class FragmentLists {
 public:
  // Collects the fragments that are not hidden by the sharp layer. `depths` belongs
  // to the first pixel of the row `begin`.
  void Collect(const Mesh& mesh, int begin, int end, int width, Real margin,
               Real push, const Real* depths) {
    found_.clear();
    starts_.assign(static_cast<size_t>(end - begin) * width + 1, 0);
    for (const int e : mesh.silhouettes) {
      const Vertex<Real>& a = mesh.vertices[mesh.First(e)];
      const Vertex<Real>& b = mesh.vertices[mesh.Second(e)];
      const PixelRange rows =
          PixelsBetween(std::min(a.y, b.y) - margin, std::max(a.y, b.y) + margin,
                        begin, end);
      for (int y = rows.begin; y < rows.end; ++y) {
        const PixelRange columns = Columns(a, b, y + 0.5, margin, width);
        for (int x = columns.begin; x < columns.end; ++x) {
          const EdgePoint<Real> point = NearestOnEdge(a, b, x + 0.5, y + 0.5);
          if (!(point.distance < margin)) continue;
          const int pixel = (y - begin) * width + x;
          const Real extent = point.distance / margin;
          // What is hidden where it reaches furthest forward is hidden everywhere.
          if (!(point.depth * (1 + push * extent) < depths[pixel])) continue;
          found_.push_back({pixel, e, extent, point.depth});
          ++starts_[pixel + 1];
        }
      }
    }
    for (size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
    sorted_.resize(found_.size());
    next_.assign(starts_.begin(), starts_.end());
    for (const Fragment<Real>& fragment : found_) {
      sorted_[next_[fragment.pixel]++] = fragment;
    }
  }

  const Fragment<Real>* begin(int pixel) const {
    return sorted_.data() + starts_[pixel];
  }
  int count(int pixel) const {
    return static_cast<int>(starts_[pixel + 1] - starts_[pixel]);
  }

 private:
  // A range of columns that holds all pixels of a row within the margin.
  static PixelRange Columns(const Vertex<Real>& a, const Vertex<Real>& b, Real py,
                            Real margin, int width) {
    Real from = 0, to = 1;
    const Real dy = b.y - a.y;
    if (dy != 0) {
      const Real s0 = (py - margin - a.y) / dy;
      const Real s1 = (py + margin - a.y) / dy;
      from = std::min(std::max(std::min(s0, s1), Real(0)), Real(1));
      to = std::min(std::max(std::max(s0, s1), Real(0)), Real(1));
    }
    const Real x0 = a.x + from * (b.x - a.x);
    const Real x1 = a.x + to * (b.x - a.x);
    const Real reach = margin + 1e-3;  // rounding must not cost a pixel
    return PixelsBetween(std::min(x0, x1) - reach, std::max(x0, x1) + reach, 0,
                         width);
  }

  std::vector<Fragment<Real>> found_, sorted_;
  std::vector<size_t> starts_, next_;
};

// The barycentric coordinates of a fragment on the triangle that owns its edge.
EdgePoint<Real> FragmentPoint(const Mesh& mesh, int edge, Real px, Real py,
                              Real barycentric[3]) {
  const EdgePoint<Real> point = NearestOnEdge(
      mesh.vertices[mesh.First(edge)], mesh.vertices[mesh.Second(edge)], px, py);
  barycentric[edge % 3] = 0;
  barycentric[(edge + 1) % 3] = 1 - point.parameter;
  barycentric[(edge + 2) % 3] = point.parameter;
  return point;
}

template <typename T>
Material<T> MakeMaterial(const Inputs& in, int64_t b) {
  const int64_t texture_size = static_cast<int64_t>(in.texture_height) *
                               in.texture_width * in.texture_channels;
  return {in.triangles->flat<int32_t>().data(),
          in.uv_triangles->flat<int32_t>().data(),
          in.uv->flat<T>().data(),
          in.texture->flat<T>().data() + b * texture_size,
          in.attributes->flat<T>().data() +
              b * in.vertex_count * in.attribute_channels,
          in.texture_height,
          in.texture_width,
          in.texture_channels,
          in.attribute_channels};
}

// ------------------------------------------------------------------------- forward

template <typename T>
class RenderMeshOp : public OpKernel {
 public:
  explicit RenderMeshOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, soft_.Read(construction));
  }

  void Compute(OpKernelContext* context) override {
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs<T>(context, 0, &in));
    Tensor* picture = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.background->shape(), &picture));
    Tensor* ids = nullptr;
    OP_REQUIRES_OK(context, context->allocate_output(
                                1, TensorShape({in.batch, in.height, in.width}),
                                &ids));
    if (in.batch == 0) return;
    Tensor depths;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_DOUBLE,
                                                   ids->shape(), &depths));
    Meshes prepared;
    OP_REQUIRES_OK(context,
                   PrepareMeshes<T>(context, in, soft_.margin, &prepared));
    const Bands bands(in.batch, in.height);
    ParallelFor(context, bands.units(), [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      const int64_t offset =
          (b * in.height + bands.begin(unit)) * static_cast<int64_t>(in.width);
      DrawBand(in, prepared.meshes[b], MakeMaterial<T>(in, b), bands.begin(unit),
               bands.end(unit),
               in.background->flat<T>().data() + offset * in.channels,
               ids->flat<int32_t>().data() + offset,
               depths.flat<double>().data() + offset,
               picture->flat<T>().data() + offset * in.channels);
    });
  }

 private:
  // All pointers belong to the first pixel of the band.
  void DrawBand(const Inputs& in, const Mesh& mesh, const Material<T>& material,
                int begin, int end, const T* background, int* ids, Real* depths,
                T* picture) const {
    DrawSharp(mesh, begin, end, in.width, ids, depths);
    std::vector<Real> colour(in.channels);
    FragmentLists lists;
    for (int y = begin; y < end; ++y) {
      const int64_t row = static_cast<int64_t>(y - begin) * in.width;
      const int soft_row = (y - begin) % kSoftRows;
      if (soft_row == 0) {
        lists.Collect(mesh, y, std::min(end, y + kSoftRows), in.width, soft_.margin,
                      soft_.depth_push, depths + row);
      }
      for (int x = 0; x < in.width; ++x) {
        const int64_t i = row + x;
        const int listed = soft_row * in.width + x;
        const T* behind = background + i * in.channels;
        const Pixel<Real> pixel = {lists.begin(listed), lists.count(listed),
                                   depths[i], soft_.depth_push};
        if (pixel.count == 0 && ids[i] < 0) {
          std::copy(behind, behind + in.channels, picture + i * in.channels);
          continue;
        }
        std::fill(colour.begin(), colour.end(), Real(0));
        Layer<Real> layer = pixel.FirstLayer();
        while (true) {
          const Real weight = layer.upper - layer.lower;
          const auto add = [&](int c, Real value) { colour[c] += weight * value; };
          if (weight > 0) {
            VisitLayer(in, mesh, material, pixel, layer.fragment, ids[i], x + 0.5,
                       y + 0.5, behind, add);
          }
          if (layer.fragment == kSharp) break;
          layer = pixel.NextLayer(layer);
        }
        for (int c = 0; c < in.channels; ++c) {
          picture[i * in.channels + c] = static_cast<T>(colour[c]);
        }
      }
    }
  }

  template <typename Visit>
  static void VisitLayer(const Inputs& in, const Mesh& mesh,
                         const Material<T>& material, const Pixel<Real>& pixel,
                         int fragment, int sharp_triangle, Real px, Real py,
                         const T* background, Visit visit) {
    if (fragment != kSharp) {
      Real barycentric[3];
      const int edge = pixel.fragments[fragment].edge;
      FragmentPoint(mesh, edge, px, py, barycentric);
      VisitColour(material, edge / 3, barycentric, visit);
    } else if (sharp_triangle >= 0) {
      Vertex<Real> corners[3];
      SurfacePoint<Real> point;
      mesh.Corners(sharp_triangle, corners);
      CoverPixel(corners, px, py, &point);
      VisitColour(material, sharp_triangle, point.barycentric, visit);
    } else {
      for (int c = 0; c < in.channels; ++c) visit(c, Real(background[c]));
    }
  }

  SoftLayer soft_;
};

// ------------------------------------------------------------------------ backward

// Where one unit adds up its gradients. Those of the vertices are with respect to
// the projected vertices.
template <typename T>
struct Gradients {
  Vertex<Real>* vertices;
  Real* uv;
  T* texture;
  T* attributes;

  void AddTexture(int64_t index, Real value) {
    texture[index] += static_cast<T>(value);
  }
  void AddAttribute(int64_t index, Real value) {
    attributes[index] += static_cast<T>(value);
  }
  void AddUv(int64_t index, Real value) { uv[index] += value; }
  void AddVertex(int64_t index, const Vertex<Real>& value) {
    vertices[index].x += value.x;
    vertices[index].y += value.y;
    vertices[index].z += value.z;
  }
};

template <typename T>
class RenderMeshGradOp : public OpKernel {
 public:
  explicit RenderMeshGradOp(OpKernelConstruction* construction)
      : OpKernel(construction) {
    OP_REQUIRES_OK(construction, soft_.Read(construction));
  }

  void Compute(OpKernelContext* context) override {
    Inputs in;
    OP_REQUIRES_OK(context, ReadInputs<T>(context, 2, &in));
    const Tensor& picture_gradient = context->input(0);
    const Tensor& ids = context->input(1);
    OP_REQUIRES(context, picture_gradient.shape() == in.background->shape(),
                InvalidArgument("picture_gradient must have the shape of background, ",
                                in.background->shape().DebugString(), ", got ",
                                picture_gradient.shape().DebugString()));
    const TensorShape ids_shape({in.batch, in.height, in.width});
    OP_REQUIRES(context, ids.shape() == ids_shape,
                InvalidArgument("triangle_ids must have the shape ",
                                ids_shape.DebugString(), ", got ",
                                ids.shape().DebugString()));
    Tensor *vertices = nullptr, *uv = nullptr, *texture = nullptr,
           *attributes = nullptr, *background = nullptr;
    OP_REQUIRES_OK(context,
                   context->allocate_output(0, in.vertices->shape(), &vertices));
    OP_REQUIRES_OK(context, context->allocate_output(1, in.uv->shape(), &uv));
    OP_REQUIRES_OK(context,
                   context->allocate_output(2, in.texture->shape(), &texture));
    OP_REQUIRES_OK(context,
                   context->allocate_output(3, in.attributes->shape(), &attributes));
    OP_REQUIRES_OK(context,
                   context->allocate_output(4, in.background->shape(), &background));

    const Bands bands(in.batch, in.height);
    const int64_t units = bands.units();
    const int64_t texture_size = static_cast<int64_t>(in.texture_height) *
                                 in.texture_width * in.texture_channels;
    const int64_t attributes_size = in.vertex_count * in.attribute_channels;
    const auto dtype = tensorflow::DataTypeToEnum<T>::value;
    Tensor depths, unit_vertices, unit_uv, unit_texture, unit_attributes;
    OP_REQUIRES_OK(context, context->allocate_temp(tensorflow::DT_DOUBLE, ids_shape,
                                                   &depths));
    OP_REQUIRES_OK(context, context->allocate_temp(
                                tensorflow::DT_DOUBLE,
                                TensorShape({units, in.vertex_count, 3}),
                                &unit_vertices));
    OP_REQUIRES_OK(context, context->allocate_temp(
                                tensorflow::DT_DOUBLE,
                                TensorShape({units, in.uv_count, 2}), &unit_uv));
    // With one band to a picture its unit adds to the output directly.
    if (bands.count == 1) {
      unit_texture = *texture;
      unit_attributes = *attributes;
    } else {
      OP_REQUIRES_OK(context, context->allocate_temp(
                                  dtype, TensorShape({units, texture_size}),
                                  &unit_texture));
      OP_REQUIRES_OK(context, context->allocate_temp(
                                  dtype, TensorShape({units, attributes_size}),
                                  &unit_attributes));
    }

    Meshes prepared;
    OP_REQUIRES_OK(context,
                   PrepareMeshes<T>(context, in, soft_.margin, &prepared));
    std::vector<absl::Status> statuses(units);
    ParallelFor(context, units, [&](int64_t unit) {
      const int64_t b = bands.picture(unit);
      Gradients<T> gradients = {
          reinterpret_cast<Vertex<Real>*>(unit_vertices.flat<double>().data()) +
              unit * in.vertex_count,
          unit_uv.flat<double>().data() + unit * in.uv_count * 2,
          unit_texture.flat<T>().data() + unit * texture_size,
          unit_attributes.flat<T>().data() + unit * attributes_size};
      std::fill_n(gradients.vertices, in.vertex_count, Vertex<Real>{0, 0, 0});
      std::fill_n(gradients.uv, in.uv_count * 2, Real(0));
      std::fill_n(gradients.texture, texture_size, T(0));
      std::fill_n(gradients.attributes, attributes_size, T(0));
      const int64_t offset =
          (b * in.height + bands.begin(unit)) * static_cast<int64_t>(in.width);
      statuses[unit] = DifferentiateBand(
          in, prepared.meshes[b], MakeMaterial<T>(in, b), bands.begin(unit),
          bands.end(unit), in.background->flat<T>().data() + offset * in.channels,
          picture_gradient.flat<T>().data() + offset * in.channels,
          ids.flat<int32_t>().data() + offset,
          depths.flat<double>().data() + offset, gradients,
          background->flat<T>().data() + offset * in.channels);
    });
    for (const absl::Status& status : statuses) OP_REQUIRES_OK(context, status);

    ParallelFor(context, in.batch, [&](int64_t b) {
      const double* parts = unit_vertices.flat<double>().data() +
                            b * bands.count * in.vertex_count * 3;
      T* target = vertices->flat<T>().data() + b * in.vertex_count * 3;
      for (int64_t i = 0; i < in.vertex_count; ++i) {
        Vertex<Real> sum = {0, 0, 0};
        for (int k = 0; k < bands.count; ++k) {
          const double* part = parts + (k * in.vertex_count + i) * 3;
          sum.x += part[0];
          sum.y += part[1];
          sum.z += part[2];
        }
        // A vertex of no drawn triangle, whose depth may be 0, has no gradient.
        if (sum.x == 0 && sum.y == 0 && sum.z == 0) {
          std::fill_n(target + 3 * i, 3, T(0));
          continue;
        }
        const Vertex<Real> gradient =
            UnprojectGradient(prepared.meshes[b].vertices[i], sum);
        target[3 * i] = static_cast<T>(gradient.x);
        target[3 * i + 1] = static_cast<T>(gradient.y);
        target[3 * i + 2] = static_cast<T>(gradient.z);
      }
      if (bands.count > 1) {
        SumParts(unit_texture.flat<T>().data() + b * bands.count * texture_size,
                 bands.count, texture_size,
                 texture->flat<T>().data() + b * texture_size);
        SumParts(
            unit_attributes.flat<T>().data() + b * bands.count * attributes_size,
            bands.count, attributes_size,
            attributes->flat<T>().data() + b * attributes_size);
      }
    });
    SumParts(unit_uv.flat<double>().data(), units, in.uv_count * 2,
             uv->flat<T>().data());
  }

 private:
  template <typename Part>
  static void SumParts(const Part* parts, int64_t count, int64_t size, T* target) {
    std::vector<Part> sum(size, Part(0));
    for (int64_t k = 0; k < count; ++k) {
      for (int64_t i = 0; i < size; ++i) sum[i] += parts[k * size + i];
    }
    for (int64_t i = 0; i < size; ++i) target[i] = static_cast<T>(sum[i]);
  }

  // The depths of the band's sharp layer from its triangle indices.
  static absl::Status FindDepths(const Inputs& in, const Mesh& mesh, int begin,
                                 int end, const int* ids, Real* depths) {
    for (int y = begin; y < end; ++y) {
      for (int x = 0; x < in.width; ++x) {
        const int64_t i = static_cast<int64_t>(y - begin) * in.width + x;
        depths[i] = std::numeric_limits<Real>::infinity();
        if (ids[i] == kSharp) continue;
        SurfacePoint<Real> point;
        if (ids[i] < 0 || ids[i] >= in.triangle_count ||
            !SharpPoint(mesh, ids[i], x + 0.5, y + 0.5, &point)) {
          return InvalidArgument("triangle_ids has ", ids[i], " at row ", y,
                                 ", column ", x,
                                 ", which is no triangle drawn there");
        }
        depths[i] = point.depth;
      }
    }
    return absl::OkStatus();
  }

  static bool SharpPoint(const Mesh& mesh, int triangle, Real px, Real py,
                         SurfacePoint<Real>* point) {
    Vertex<Real> corners[3];
    mesh.Corners(triangle, corners);
    return IsDrawn(corners[0], corners[1], corners[2]) &&
           CoverPixel(corners, px, py, point);
  }

  // All pointers belong to the first pixel of the band.
  absl::Status DifferentiateBand(const Inputs& in, const Mesh& mesh,
                                 const Material<T>& material, int begin, int end,
                                 const T* background, const T* picture_gradient,
                                 const int* ids, Real* depths,
                                 Gradients<T>& gradients,
                                 T* background_gradient) const {
    TF_RETURN_IF_ERROR(FindDepths(in, mesh, begin, end, ids, depths));
    FragmentLists lists;
    FragmentGradients fragment_gradients;
    for (int y = begin; y < end; ++y) {
      const int64_t row = static_cast<int64_t>(y - begin) * in.width;
      const int soft_row = (y - begin) % kSoftRows;
      if (soft_row == 0) {
        lists.Collect(mesh, y, std::min(end, y + kSoftRows), in.width, soft_.margin,
                      soft_.depth_push, depths + row);
      }
      for (int x = 0; x < in.width; ++x) {
        const int64_t i = row + x;
        const int listed = soft_row * in.width + x;
        const T* g = picture_gradient + i * in.channels;
        T* g_background = background_gradient + i * in.channels;
        const Pixel<Real> pixel = {lists.begin(listed), lists.count(listed),
                                   depths[i], soft_.depth_push};
        if (pixel.count == 0 && ids[i] < 0) {
          std::copy(g, g + in.channels, g_background);
          continue;
        }
        DifferentiatePixel(in, mesh, material, pixel, ids[i], x + 0.5, y + 0.5,
                           background + i * in.channels, g, fragment_gradients,
                           gradients, g_background);
      }
    }
    return absl::OkStatus();
  }

  // The gradients with respect to the fragments of one pixel, reused from pixel to
  // pixel.
  struct FragmentGradients {
    std::vector<Real> extent, depth, parameter;

    void Reset(int count) {
      extent.assign(count, Real(0));
      depth.assign(count, Real(0));
      parameter.assign(count, Real(0));
    }
  };

  void DifferentiatePixel(const Inputs& in, const Mesh& mesh,
                          const Material<T>& material, const Pixel<Real>& pixel,
                          int sharp_triangle, Real px, Real py, const T* background,
                          const T* g, FragmentGradients& fragment,
                          Gradients<T>& gradients, T* background_gradient) const {
    fragment.Reset(pixel.count);
    Real sharp_depth_gradient = 0;
    Real sharp_barycentric_gradient[3] = {0, 0, 0};
    SurfacePoint<Real> sharp;
    if (sharp_triangle >= 0) SharpPoint(mesh, sharp_triangle, px, py, &sharp);
    std::fill(background_gradient, background_gradient + in.channels, T(0));

    // The colour of each layer, seen along g, and of the next one: what a shift of
    // the border between them is worth.
    const auto brightness = [&](int index) {
      Real sum = 0;
      const auto add = [&](int c, Real value) { sum += g[c] * value; };
      if (index != kSharp) {
        Real barycentric[3];
        const int edge = pixel.fragments[index].edge;
        FragmentPoint(mesh, edge, px, py, barycentric);
        VisitColour(material, edge / 3, barycentric, add);
      } else if (sharp_triangle >= 0) {
        VisitColour(material, sharp_triangle, sharp.barycentric, add);
      } else {
        for (int c = 0; c < in.channels; ++c) add(c, background[c]);
      }
      return sum;
    };

    Layer<Real> layer = pixel.FirstLayer();
    Real current = layer.fragment == kSharp ? Real(0) : brightness(layer.fragment);
    while (true) {
      const Real weight = layer.upper - layer.lower;
      if (layer.fragment != kSharp) {
        if (weight > 0) {
          Real barycentric[3];
          Real barycentric_gradient[3] = {0, 0, 0};
          const int edge = pixel.fragments[layer.fragment].edge;
          FragmentPoint(mesh, edge, px, py, barycentric);
          ColourGradient(material, edge / 3, barycentric, weight, g, gradients,
                         barycentric_gradient);
          fragment.parameter[layer.fragment] +=
              barycentric_gradient[(edge + 2) % 3] -
              barycentric_gradient[(edge + 1) % 3];
        }
        const Real next = brightness(layer.next);
        pixel.LowerEndGradient(
            layer, next - current,
            [&](int i, Real value) { fragment.extent[i] += value; },
            [&](int i, Real value) {
              (i == kSharp ? sharp_depth_gradient : fragment.depth[i]) += value;
            });
        current = next;
        layer = pixel.NextLayer(layer);
        continue;
      }
      if (weight > 0 && sharp_triangle >= 0) {
        ColourGradient(material, sharp_triangle, sharp.barycentric, weight, g,
                       gradients, sharp_barycentric_gradient);
      } else if (weight > 0) {
        for (int c = 0; c < in.channels; ++c) {
          background_gradient[c] = static_cast<T>(weight * g[c]);
        }
      }
      break;
    }

    if (sharp_triangle >= 0) {
      Vertex<Real> corners[3];
      mesh.Corners(sharp_triangle, corners);
      Vertex<Real> corner_gradients[3] = {{0, 0, 0}, {0, 0, 0}, {0, 0, 0}};
      SurfacePointGradient(corners, px, py, sharp, sharp_barycentric_gradient,
                           sharp_depth_gradient, corner_gradients);
      for (int k = 0; k < 3; ++k) {
        gradients.AddVertex(mesh.triangles[3 * sharp_triangle + k],
                            corner_gradients[k]);
      }
    }
    for (int i = 0; i < pixel.count; ++i) {
      if (fragment.extent[i] == 0 && fragment.depth[i] == 0 &&
          fragment.parameter[i] == 0) {
        continue;
      }
      const int edge = pixel.fragments[i].edge;
      const Vertex<Real>& a = mesh.vertices[mesh.First(edge)];
      const Vertex<Real>& b = mesh.vertices[mesh.Second(edge)];
      Vertex<Real> a_gradient = {0, 0, 0}, b_gradient = {0, 0, 0};
      EdgePointGradient(a, b, NearestOnEdge(a, b, px, py),
                        fragment.extent[i] / soft_.margin, fragment.parameter[i],
                        fragment.depth[i], &a_gradient, &b_gradient);
      gradients.AddVertex(mesh.First(edge), a_gradient);
      gradients.AddVertex(mesh.Second(edge), b_gradient);
    }
  }

  SoftLayer soft_;
};

#define REGISTER_KERNELS(T)                                              \
  REGISTER_KERNEL_BUILDER(Name("RenderMesh")                             \
                              .Device(tensorflow::DEVICE_CPU)            \
                              .TypeConstraint<T>("T"),                   \
                          RenderMeshOp<T>);                              \
  REGISTER_KERNEL_BUILDER(Name("RenderMeshGrad")                         \
                              .Device(tensorflow::DEVICE_CPU)            \
                              .TypeConstraint<T>("T"),                   \
                          RenderMeshGradOp<T>)

REGISTER_KERNELS(float);
REGISTER_KERNELS(double);

#undef REGISTER_KERNELS

}  // namespace
}  // namespace unsup3d
