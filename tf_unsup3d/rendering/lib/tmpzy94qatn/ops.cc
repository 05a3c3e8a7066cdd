#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/ops/inputs.cc"
#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/ops/rasterize_mesh.cc"
#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/ops/render_mesh.cc"
#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/ops/transform_points.cc"
