#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/cpu/rasterize_mesh.cc"
#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/cpu/render_mesh.cc"
#include "/tmp/wt/mipmaps/custom_ops/rasterizer/cc/cpu/transform_points.cc"
