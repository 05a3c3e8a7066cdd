// Checks for the test programs, which do not use TensorFlow.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_EXPECT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_EXPECT_H_

#include <cstdio>

namespace unsup3d {

// The number of checks that have failed.
inline int failures = 0;

// Prints the condition and counts a failure if it does not hold.
#define EXPECT(condition)                                         \
  do {                                                            \
    if (!(condition)) {                                           \
      std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      ++failures;                                                 \
    }                                                             \
  } while (false)

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_EXPECT_H_
