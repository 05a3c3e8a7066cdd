// What the tests without TensorFlow check with.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_EXPECT_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_EXPECT_H_

#include <cstdio>

namespace unsup3d {

inline int failures = 0;

// Prints a condition that does not hold, and counts it in `failures`.
#define EXPECT(condition)                                             \
  do {                                                                \
    if (!(condition)) {                                               \
      std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);     \
      ++failures;                                                     \
    }                                                                 \
  } while (false)

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_EXPECT_H_
