// Scratch memory on a GPU.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_SCRATCH_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_SCRATCH_H_

#include <algorithm>
#include <cstdint>

#include "gpu/interface.h"

namespace unsup3d {

// Allocates arrays, and remembers whether there has been enough memory for all of them.
class Scratch {
 public:
  explicit Scratch(GpuAllocator* allocator) : allocator_(allocator) {}

  template <typename U>
  U* Get(int64_t count) {
    void* memory = allocator_->Allocate(std::max<int64_t>(count, 1) * sizeof(U));
    complete_ = complete_ && memory != nullptr;
    return static_cast<U*>(memory);
  }
  bool complete() const { return complete_; }

 private:
  GpuAllocator* allocator_;
  bool complete_ = true;
};

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_SCRATCH_H_
