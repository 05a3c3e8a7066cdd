#include "ops/inputs.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <string>

#include "core/value_checks.h"
#include "ops/parallel_for.h"

namespace unsup3d {
namespace {

using tensorflow::OpKernelConstruction;
using tensorflow::OpKernelContext;
using tensorflow::Tensor;
using tensorflow::TensorShape;
using tensorflow::errors::InvalidArgument;

absl::Status WrongShape(const char* name, const std::string& expected,
                        const Tensor& tensor) {
  return InvalidArgument(name, " must have the shape ", expected, ", got ",
                         tensor.shape().DebugString());
}

absl::Status CheckShape(const char* name, const Tensor& tensor,
                        const TensorShape& expected) {
  if (tensor.shape() == expected) return absl::OkStatus();
  return WrongShape(name, expected.DebugString(), tensor);
}

absl::Status CheckRank(const char* name, const Tensor& tensor, int rank,
                       const char* expected, int last_dim = -1) {
  const bool fits =
      tensor.dims() == rank && (last_dim < 0 || tensor.dim_size(rank - 1) == last_dim);
  return fits ? absl::OkStatus() : WrongShape(name, expected, tensor);
}

absl::Status CheckSame(const char* what, const char* name, int64_t value,
                       const char* other_name, int64_t other) {
  if (value == other) return absl::OkStatus();
  return InvalidArgument(name, " and ", other_name, " differ in their ", what, ": ",
                         value, " and ", other);
}

// Returns the index of the first invalid value of a tensor, or -1. `find(values,
// count)` does the same for a part of the values.
template <typename T, typename Find>
int64_t FindInParts(OpKernelContext* context, const Tensor& tensor, Find find) {
  constexpr int64_t kPart = 1 << 15;
  const T* values = tensor.flat<T>().data();
  const int64_t size = tensor.NumElements();
  std::atomic<int64_t> first_wrong(size);
  ParallelFor(context, (size + kPart - 1) / kPart, [&](int64_t part) {
    const int64_t begin = part * kPart;
    const int64_t found = find(values + begin, std::min(kPart, size - begin));
    if (found < 0) return;
    const int64_t wrong = begin + found;
    int64_t known = first_wrong;
    while (wrong < known && !first_wrong.compare_exchange_weak(known, wrong)) continue;
  });
  return first_wrong == size ? -1 : first_wrong.load();
}

absl::Status CheckIndices(OpKernelContext* context, const char* name,
                          const Tensor& tensor, int64_t lowest, int64_t end,
                          const char* of) {
  const int64_t wrong =
      FindInParts<int32_t>(context, tensor, [=](const int32_t* values, int64_t count) {
    return FindOutside(values, count, lowest, end);
  });
  if (wrong < 0) return absl::OkStatus();
  return InvalidArgument(name, "[", wrong / 3, ", ", wrong % 3, "] is ",
                         tensor.flat<int32_t>()(wrong), ", outside of ", lowest, " .. ",
                         end - 1, ", there are ", end, " ", of);
}

template <typename T>
absl::Status CheckFinite(OpKernelContext* context, const char* name,
                         const Tensor& tensor) {
  int64_t index = FindInParts<T>(context, tensor, FindNotFinite<T>);
  if (index < 0) return absl::OkStatus();
  std::string position;
  for (int d = tensor.dims() - 1; d >= 0; --d) {
    position = std::to_string(index % tensor.dim_size(d)) +
               (position.empty() ? "" : ", ") + position;
    index /= tensor.dim_size(d);
  }
  return InvalidArgument(name, " must be finite, but ", name, "[", position,
                         "] is not");
}

// Whether a * b does not fit into the type of the indices of texels, edges and
// channels.
bool IsTooMany(int64_t a, int64_t b) {
  const int64_t limit = std::numeric_limits<int32_t>::max();
  return a > limit || b > limit || (b > 0 && a > limit / b);
}

// The most pixels that a picture may have. A side that is rounded up to whole packs or
// tiles then still fits into an int.
constexpr int64_t kMaxPixels = int64_t{1} << 30;

// Whether a picture has more than kMaxPixels. Neither side may be 0.
bool IsTooLarge(int64_t height, int64_t width) { return height > kMaxPixels / width; }

// Checks a picture's size and stores it in `in`, whose batch size must be known.
absl::Status SetSize(int64_t height, int64_t width, SurfaceInputs* in) {
  if (height < 1 || width < 1) {
    return InvalidArgument("height and width must be at least 1, got ", height, " and ",
                           width);
  }
  if (IsTooLarge(height, width)) {
    return InvalidArgument("height and width make too many pixels: ", height, " and ",
                           width, ", at most ", kMaxPixels);
  }
  // Otherwise there is no shape [batch, height, width], and to make it would abort.
  if (in->batch > std::numeric_limits<int64_t>::max() / (height * width)) {
    return InvalidArgument("vertices has too many pictures for a height and width of ",
                           height, " and ", width, ": ", in->batch);
  }
  in->height = static_cast<int>(height);
  in->width = static_cast<int>(width);
  return absl::OkStatus();
}

// Finds the levels of a texture that holds mipmaps, and checks that they fit into it.
absl::Status FindTextureLevels(const Tensor& texture, int mipmaps,
                               TextureLevels* levels) {
  const int rows = static_cast<int>(texture.dim_size(1));
  const int width = static_cast<int>(texture.dim_size(2));
  // The rows of the mipmaps are half as many as those of the texture above them.
  const int height = mipmaps > 0 ? rows - rows / 3 : rows;
  *levels = {height, width, mipmaps};
  const int64_t smallest = int64_t{1} << mipmaps;
  if (levels->rows() == rows && height % smallest == 0 && width % smallest == 0) {
    return absl::OkStatus();
  }
  return InvalidArgument("texture must hold ", mipmaps, " mipmaps below a height and ",
                         "width that are multiples of ", smallest, ", got ",
                         texture.shape().DebugString());
}

}  // namespace

absl::Status ReadSurface(OpKernelContext* context, int first, SurfaceInputs* in) {
  in->vertices = &context->input(first);
  in->triangles = &context->input(first + 1);
  in->neighbors = &context->input(first + 2);
  TF_RETURN_IF_ERROR(
      CheckRank("vertices", *in->vertices, 3, "[batch, vertices, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("triangles", *in->triangles, 2, "[triangles, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("neighbors", *in->neighbors, 2, "[triangles, 3]", 3));
  const int64_t triangles = in->triangles->dim_size(0);
  TF_RETURN_IF_ERROR(CheckSame("number of triangles", "neighbors",
                               in->neighbors->dim_size(0), "triangles", triangles));
  if (IsTooMany(triangles, 3)) {
    return InvalidArgument("triangles has too many rows: ", triangles);
  }
  in->batch = in->vertices->dim_size(0);
  in->vertex_count = in->vertices->dim_size(1);
  in->triangle_count = static_cast<int>(triangles);
  return absl::OkStatus();
}

absl::Status ReadSize(OpKernelContext* context, int first, SurfaceInputs* in) {
  const char* names[] = {"height", "width"};
  int64_t size[2];
  for (int k = 0; k < 2; ++k) {
    const Tensor& tensor = context->input(first + k);
    if (tensor.NumElements() != 1) {
      return InvalidArgument(names[k], " must be one number, got the shape ",
                             tensor.shape().DebugString());
    }
    size[k] = tensor.flat<int32_t>()(0);
  }
  return SetSize(size[0], size[1], in);
}

absl::Status ReadFragmentList(OpKernelContext* context, FragmentListInputs* in) {
  in->barycentric_gradient = &context->input(0);
  in->depth_gradient = &context->input(1);
  in->weight_gradient = &context->input(2);
  in->pixels = &context->input(3);
  in->ids = &context->input(4);
  TF_RETURN_IF_ERROR(ReadSurface(context, 5, in));
  if (in->ids->dims() != 3 || in->ids->dim_size(0) != in->batch) {
    return InvalidArgument(
        "triangle_ids must have the shape [batch, height, width] "
        "with the batch size of vertices, ",
        in->batch, ", got ", in->ids->shape().DebugString());
  }
  TF_RETURN_IF_ERROR(SetSize(in->ids->dim_size(1), in->ids->dim_size(2), in));
  in->count = in->pixels->NumElements();
  TF_RETURN_IF_ERROR(
      CheckShape("barycentric_gradient", *in->barycentric_gradient, {in->count, 3}));
  TF_RETURN_IF_ERROR(CheckShape("depth_gradient", *in->depth_gradient, {in->count}));
  return CheckShape("weight_gradient", *in->weight_gradient, {in->count});
}

absl::Status ReadRenderMeshInputs(OpKernelContext* context, int first, int mipmaps,
                                  RenderMeshInputs* in) {
  TF_RETURN_IF_ERROR(ReadSurface(context, first, in));
  in->uv = &context->input(first + 3);
  in->uv_triangles = &context->input(first + 4);
  in->texture = &context->input(first + 5);
  in->attributes = &context->input(first + 6);
  in->background = &context->input(first + 7);
  TF_RETURN_IF_ERROR(CheckRank("uv", *in->uv, 2, "[uvs, 2]", 2));
  TF_RETURN_IF_ERROR(
      CheckRank("uv_triangles", *in->uv_triangles, 2, "[triangles, 3]", 3));
  TF_RETURN_IF_ERROR(
      CheckRank("texture", *in->texture, 4, "[batch, height, width, channels]"));
  TF_RETURN_IF_ERROR(
      CheckRank("attributes", *in->attributes, 3, "[batch, vertices, channels]"));
  TF_RETURN_IF_ERROR(
      CheckRank("background", *in->background, 4, "[batch, height, width, channels]"));

  in->uv_count = in->uv->dim_size(0);
  TF_RETURN_IF_ERROR(CheckSame("batch size", "texture", in->texture->dim_size(0),
                               "vertices", in->batch));
  TF_RETURN_IF_ERROR(CheckSame("batch size", "attributes", in->attributes->dim_size(0),
                               "vertices", in->batch));
  TF_RETURN_IF_ERROR(CheckSame("batch size", "background", in->background->dim_size(0),
                               "vertices", in->batch));
  TF_RETURN_IF_ERROR(CheckSame("number of vertices", "attributes",
                               in->attributes->dim_size(1), "vertices",
                               in->vertex_count));
  TF_RETURN_IF_ERROR(CheckSame("number of triangles", "uv_triangles",
                               in->uv_triangles->dim_size(0), "triangles",
                               in->triangle_count));
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

  if (IsTooLarge(in->background->dim_size(1), in->background->dim_size(2)) ||
      IsTooMany(in->background->dim_size(3), 1)) {
    return InvalidArgument("background has too many pixels or channels: ",
                           in->background->shape().DebugString());
  }
  if (IsTooMany(in->texture->dim_size(1), in->texture->dim_size(2))) {
    return InvalidArgument("texture has too many texels: ",
                           in->texture->shape().DebugString());
  }
  TF_RETURN_IF_ERROR(
      SetSize(in->background->dim_size(1), in->background->dim_size(2), in));
  in->channels = static_cast<int>(in->background->dim_size(3));
  TF_RETURN_IF_ERROR(FindTextureLevels(*in->texture, mipmaps, &in->texture_levels));
  in->texture_channels = static_cast<int>(in->texture->dim_size(3));
  in->attribute_channels = static_cast<int>(in->attributes->dim_size(2));
  return absl::OkStatus();
}

template <typename T>
absl::Status CheckValues(OpKernelContext* context, const SurfaceInputs& in) {
  TF_RETURN_IF_ERROR(CheckIndices(context, "triangles", *in.triangles, 0,
                                  in.vertex_count, "vertices"));
  TF_RETURN_IF_ERROR(CheckIndices(context, "neighbors", *in.neighbors, -1,
                                  in.triangle_count, "triangles"));
  return CheckFinite<T>(context, "vertices", *in.vertices);
}

template <typename T>
absl::Status CheckValues(OpKernelContext* context, const RenderMeshInputs& in) {
  const SurfaceInputs& surface = in;
  TF_RETURN_IF_ERROR(CheckValues<T>(context, surface));
  TF_RETURN_IF_ERROR(
      CheckIndices(context, "uv_triangles", *in.uv_triangles, 0, in.uv_count, "uvs"));
  return CheckFinite<T>(context, "uv", *in.uv);
}

template absl::Status CheckValues<float>(OpKernelContext*, const SurfaceInputs&);
template absl::Status CheckValues<double>(OpKernelContext*, const SurfaceInputs&);
template absl::Status CheckValues<float>(OpKernelContext*, const RenderMeshInputs&);
template absl::Status CheckValues<double>(OpKernelContext*, const RenderMeshInputs&);

template <typename T>
absl::Status ReadAffineMaps(OpKernelContext* context, AffineMaps<T>* maps) {
  const Tensor& points = context->input(0);
  const Tensor& matrices = context->input(1);
  TF_RETURN_IF_ERROR(CheckRank("points", points, 3, "[batch, points, 3]", 3));
  TF_RETURN_IF_ERROR(CheckRank("matrices", matrices, 3, "[batch, 3, 4]", 4));
  const int64_t batch = points.dim_size(0), count = matrices.dim_size(0);
  if (matrices.dim_size(1) != 3 || (count != 1 && count != batch)) {
    return InvalidArgument("matrices must have the shape [", batch,
                           ", 3, 4], one for each picture of points, or [1, 3, 4], "
                           "got ",
                           matrices.shape().DebugString());
  }
  *maps = {points.flat<T>().data(), matrices.flat<T>().data(), batch,
           points.dim_size(1), count == 1};
  return absl::OkStatus();
}

template absl::Status ReadAffineMaps<float>(OpKernelContext*, AffineMaps<float>*);
template absl::Status ReadAffineMaps<double>(OpKernelContext*, AffineMaps<double>*);

absl::Status CheckGradientShapes(const RenderMeshInputs& in,
                                 const Tensor& picture_gradient, const Tensor& ids) {
  if (picture_gradient.shape() != in.background->shape()) {
    return InvalidArgument("picture_gradient must have the shape of background, ",
                           in.background->shape().DebugString(), ", got ",
                           picture_gradient.shape().DebugString());
  }
  return CheckShape("triangle_ids", ids, {in.batch, in.height, in.width});
}

absl::Status InvalidTriangleId(const RenderMeshInputs& in, int64_t pixel, int id) {
  return InvalidArgument("triangle_ids has ", id, " at row ",
                         pixel / in.width % in.height, ", column ", pixel % in.width,
                         ", which is no triangle drawn there");
}

absl::Status DoesNotMatchVertices(const SurfaceInputs& in, const char* name,
                                  int64_t pixel) {
  return InvalidArgument(name, " is not that of these vertices at row ",
                         pixel / in.width % in.height, ", column ", pixel % in.width,
                         " of picture ", pixel / in.width / in.height);
}

absl::Status PixelsOutside() {
  return InvalidArgument("pixels has some outside of the pictures");
}

absl::Status ReadOptions(OpKernelConstruction* construction, Options* options) {
  TF_RETURN_IF_ERROR(construction->GetAttr("margin", &options->margin));
  TF_RETURN_IF_ERROR(construction->GetAttr("depth_push", &options->depth_push));
  TF_RETURN_IF_ERROR(construction->GetAttr("cull_backfaces", &options->cull_backfaces));
  if (!(std::isfinite(options->margin) && options->margin >= 0)) {
    return InvalidArgument("margin must be finite and at least 0, got ",
                           options->margin);
  }
  if (!(std::isfinite(options->depth_push) && options->depth_push >= 0)) {
    return InvalidArgument("depth_push must be finite and at least 0, got ",
                           options->depth_push);
  }
  return absl::OkStatus();
}

absl::Status ReadMipmaps(OpKernelConstruction* construction, int* mipmaps) {
  TF_RETURN_IF_ERROR(construction->GetAttr("mipmaps", mipmaps));
  // More levels than that have no size that an index reaches.
  if (*mipmaps < 0 || *mipmaps > 30) {
    return InvalidArgument("mipmaps must be from 0 to 30, got ", *mipmaps);
  }
  return absl::OkStatus();
}

}  // namespace unsup3d
