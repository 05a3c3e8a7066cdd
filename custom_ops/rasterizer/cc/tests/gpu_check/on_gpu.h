// What the launchers of the CUDA kernels compute for a batch of pictures.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_ON_GPU_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_ON_GPU_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/fragment_list_gradient.h"
#include "core/picture_inputs.h"
#include "gpu/rasterize_mesh.h"
#include "gpu/render_mesh.h"
#include "tests/gpu_check/device.h"
#include "tests/gpu_check/inputs.h"
#include "tests/gpu_check/on_cpu.h"

namespace unsup3d {

// Gradients in the memory of the GPU.
template <typename T>
struct DeviceGradients {
  DeviceArray<T> vertices, uv, texture, attributes, background;

  explicit DeviceGradients(const Arrays<T>& arrays)
      : vertices(arrays.vertices.size()),
        uv(arrays.uv.size()),
        texture(arrays.texture.size()),
        attributes(arrays.attributes.size()),
        background(arrays.background.size()) {}

  RenderMeshGradients<T> pointers(bool wants_uv) const {
    return {vertices.data(), wants_uv ? uv.data() : nullptr, texture.data(),
            attributes.data(), background.data()};
  }
  Gradients<T> ToHost() const {
    return {-1,
            vertices.ToHost(),
            uv.ToHost(),
            texture.ToHost(),
            attributes.ToHost(),
            background.ToHost()};
  }
};

// Draws a batch whose inputs are in the memory of the GPU.
template <typename T>
class GpuRenderer {
 public:
  GpuRenderer(const BatchArrays<T>& batch, const Options& options)
      : arrays_(batch.all),
        size_(batch.size),
        options_(options),
        vertices_(arrays_.vertices),
        uv_(arrays_.uv),
        texture_(arrays_.texture),
        attributes_(arrays_.attributes),
        background_(arrays_.background),
        triangles_(arrays_.triangles),
        neighbors_(arrays_.neighbors),
        uv_triangles_(arrays_.uv_triangles),
        colours_(arrays_.background.size()),
        ids_(size_ * arrays_.pixels()),
        gradients_(arrays_) {}

  // Draws the pictures.
  GpuStatus Draw() {
    scratch_.Reuse();
    return RenderMeshOnGpu(inputs(), options_, nullptr, &scratch_, colours_.data(),
                           ids_.data());
  }
  // The pictures that Draw has drawn.
  Picture<T> picture() const { return {ids_.ToHost(), colours_.ToHost()}; }

  // Differentiates, given the derivative with respect to the pictures and their ids.
  GpuStatus Differentiate(const DeviceArray<T>& picture_gradient,
                          const DeviceArray<int>& ids, bool wants_uv) {
    scratch_.Reuse();
    return RenderMeshGradOnGpu(inputs(), options_, picture_gradient.data(), ids.data(),
                               nullptr, &scratch_, gradients_.pointers(wants_uv));
  }
  // What Differentiate has found.
  Gradients<T> gradients() const { return gradients_.ToHost(); }

  GpuStatus MakeList(BatchList<T>* list) {
    struct Device {
      DeviceArray<int64_t> pixels;
      DeviceArray<int> triangles;
      DeviceArray<T> barycentric, depth, weight;
    };
    std::unique_ptr<Device> device;
    scratch_.Reuse();
    const GpuStatus status =
        RasterizeMeshOnGpu<T>(surfaces(), options_, nullptr, &scratch_,
                              [&](int64_t count, FragmentList<T>* target) {
      device.reset(new Device{DeviceArray<int64_t>(count), DeviceArray<int>(count),
                              DeviceArray<T>(3 * count), DeviceArray<T>(count),
                              DeviceArray<T>(count)});
      *target = {device->pixels.data(), device->triangles.data(),
                 device->barycentric.data(), device->depth.data(),
                 device->weight.data()};
      return true;
    }, ids_.data());
    if (!status.ok()) return status;
    *list = {ids_.ToHost(),           device->triangles.ToHost(),
             device->pixels.ToHost(), device->barycentric.ToHost(),
             device->depth.ToHost(),  device->weight.ToHost()};
    return status;
  }

  GpuStatus DifferentiateList(const BatchList<T>& list,
                              const BatchList<T>& list_gradient,
                              std::vector<T>* vertex_gradients) {
    const DeviceArray<int64_t> pixels(list.pixels);
    const DeviceArray<int> ids(list.ids);
    const DeviceArray<T> barycentric(list_gradient.barycentric),
        depth(list_gradient.depth), weight(list_gradient.weight);
    const FragmentListGradient<T> gradients = {pixels.data(), 0,
                                               list.count(),  barycentric.data(),
                                               depth.data(),  weight.data()};
    scratch_.Reuse();
    const GpuStatus status =
        RasterizeMeshGradOnGpu(surfaces(), options_, gradients, ids.data(), nullptr,
                               &scratch_, gradients_.vertices.data());
    *vertex_gradients = gradients_.vertices.ToHost();
    return status;
  }

  const DeviceArray<int>& ids() const { return ids_; }
  int64_t scratch_bytes() const { return scratch_.bytes(); }

 private:
  Batch<PictureInputs<T>> inputs() const {
    PictureInputs<T> first = arrays_.inputs();
    first.vertices = vertices_.data();
    first.triangles = first.material.triangles = triangles_.data();
    first.neighbors = neighbors_.data();
    first.material.uv_triangles = uv_triangles_.data();
    first.material.uv = uv_.data();
    first.material.texture = texture_.data();
    first.material.attributes = attributes_.data();
    first.background = background_.data();
    return {first, size_};
  }
  Batch<Surface<T>> surfaces() const { return {inputs().first, size_}; }

  const Arrays<T>& arrays_;
  int64_t size_;
  Options options_;
  DeviceArray<T> vertices_, uv_, texture_, attributes_, background_;
  DeviceArray<int> triangles_, neighbors_, uv_triangles_;
  DeviceArray<T> colours_;
  DeviceArray<int> ids_;
  DeviceGradients<T> gradients_;
  ScratchPool scratch_;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_ON_GPU_H_
