// What a program that calls the launchers needs of the CUDA runtime, emulated on the
// host: memory, events and the description of a device.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_EMULATION_RUNTIME_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_EMULATION_RUNTIME_H_

#include <chrono>
#include <cstdlib>
#include <cstring>

#include "gpu/emulation/cuda.h"

inline cudaError_t cudaMalloc(void** target, size_t size) {
  *target = std::malloc(size);
  return cudaSuccess;
}
inline cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
inline cudaError_t cudaMemset(void* target, int value, size_t size) {
  return cudaMemsetAsync(target, value, size, nullptr);
}
inline cudaError_t cudaMemcpy(void* target, const void* source, size_t size,
                              cudaMemcpyKind kind) {
  return cudaMemcpyAsync(target, source, size, kind, nullptr);
}

using cudaEvent_t = std::chrono::steady_clock::time_point*;

inline cudaError_t cudaEventCreate(cudaEvent_t* event) {
  *event = new std::chrono::steady_clock::time_point;
  return cudaSuccess;
}
inline cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
inline cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t) {
  *event = std::chrono::steady_clock::now();
  return cudaSuccess;
}
inline cudaError_t cudaEventSynchronize(cudaEvent_t) { return cudaSuccess; }
inline cudaError_t cudaEventElapsedTime(float* milliseconds, cudaEvent_t begin,
                                        cudaEvent_t end) {
  *milliseconds = std::chrono::duration<float, std::milli>(*end - *begin).count();
  return cudaSuccess;
}

struct cudaDeviceProp {
  char name[256];
  int major, minor;
};

inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"emulation on the host", 0, 0};
  return cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}
inline cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 0;
  return cudaSuccess;
}

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_GPU_EMULATION_RUNTIME_H_
