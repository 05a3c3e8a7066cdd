// Writes JSON.

#ifndef UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_JSON_H_
#define UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_JSON_H_

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

namespace unsup3d {

inline std::string Json(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
  }
  return quoted + '"';
}
inline std::string Json(const char* text) { return Json(std::string(text)); }
inline std::string Json(bool value) { return value ? "true" : "false"; }
inline std::string Json(int64_t value) { return std::to_string(value); }
inline std::string Json(int value) { return std::to_string(value); }
inline std::string Json(double value) {
  if (!std::isfinite(value)) return "null";
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  return text;
}

class JsonObject {
 public:
  template <typename Value>
  JsonObject& Add(const std::string& name, const Value& value) {
    return AddJson(name, Json(value));
  }
  // Adds a value that is JSON already.
  JsonObject& AddJson(const std::string& name, const std::string& json) {
    members_ += (members_.empty() ? "" : ", ") + Json(name) + ": " + json;
    return *this;
  }
  std::string str() const { return "{" + members_ + "}"; }

 private:
  std::string members_;
};

// An array with a line for each element.
inline std::string JsonLines(const std::vector<std::string>& elements) {
  std::string lines;
  for (const std::string& element : elements) {
    lines += (lines.empty() ? "\n  " : ",\n  ") + element;
  }
  return "[" + lines + "\n ]";
}

template <typename Value>
std::string JsonArray(const std::vector<Value>& values) {
  std::string elements;
  for (const Value& value : values) {
    elements += (elements.empty() ? "" : ", ") + Json(value);
  }
  return "[" + elements + "]";
}

}  // namespace unsup3d

#endif  // UNSUP3D_CUSTOM_OPS_RASTERIZER_CC_TESTS_GPU_CHECK_JSON_H_
