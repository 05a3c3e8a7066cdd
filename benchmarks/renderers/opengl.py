"""OpenGL off-screen, drawn in software by Mesa: forward only."""

import dataclasses
from typing import Any

import numpy as np

from benchmarks.renderers.base import NotAvailable, Options, Renderer
from benchmarks.workload import DISTANCE, FIELD_OF_VIEW, Workload

_VERTEX_SHADER = """
#version 330
uniform float focal;
uniform float distance;
uniform float reach;
in vec3 position;
in vec2 uv;
out vec2 texture_uv;
void main() {
  float w = position.z + distance;
  gl_Position = vec4(focal * position.xy, w * position.z / reach, w);
  texture_uv = uv;
}
"""

_FRAGMENT_SHADER = """
#version 330
uniform sampler2D colours;
in vec2 texture_uv;
out vec4 colour;
void main() { colour = texture(colours, texture_uv); }
"""

# Half of the depth that can be drawn, about the origin.
_REACH = 3.0


def _to_bytes(colours):
    rounded = np.uint8(np.round(127.5 * (np.asarray(colours) + 1.0)))
    return np.ascontiguousarray(
        np.concatenate([rounded, np.full_like(rounded[..., :1], 255)], -1)
    )


@dataclasses.dataclass(frozen=True)
class _Loaded:
    positions: np.ndarray
    buffer: Any
    mesh: Any
    textures: list[Any]
    backgrounds: list[Any]
    frame: Any
    pictures: np.ndarray


class OpenGL(Renderer):
    """moderngl on EGL without a screen: eight bits a channel, one sample a pixel.

    Each call uploads the vertices and reads the picture back, as a training step
    would need.
    """

    title = "OpenGL in software"

    def __init__(self, options: Options):
        super().__init__(options)
        try:
            import moderngl
        except ImportError as error:
            raise NotAvailable(f"moderngl does not import: {error}") from error
        try:
            context = moderngl.create_context(standalone=True, backend="egl")
        except Exception as error:
            raise NotAvailable(f"no EGL context: {error}") from error
        self.version = context.info["GL_RENDERER"]
        if not any(name in self.version for name in ("llvmpipe", "softpipe", "SWR")):
            raise NotAvailable(f"{self.version} draws in hardware")
        self._gl = moderngl
        self._context = context
        self._program = context.program(_VERTEX_SHADER, _FRAGMENT_SHADER)
        self._program["focal"] = 1.0 / np.tan(0.5 * FIELD_OF_VIEW)
        self._program["distance"] = DISTANCE
        self._program["reach"] = _REACH

    def load(self, workload: Workload):
        context = self._context
        positions = np.ascontiguousarray(
            workload.vertices[:, workload.uv_vertices], np.float32
        )
        buffer = context.buffer(reserve=positions[0].nbytes, dynamic=True)
        mesh = context.vertex_array(
            self._program,
            [
                (buffer, "3f", "position"),
                (context.buffer(np.float32(workload.uv)), "2f", "uv"),
            ],
            index_buffer=context.buffer(workload.uv_triangles.astype(np.int32)),
        )
        height, width = workload.size
        textures = []
        for texture in _to_bytes(workload.texture):
            colours = context.texture(texture.shape[1::-1], 4, texture.tobytes())
            colours.filter = (self._gl.LINEAR, self._gl.LINEAR)
            colours.repeat_x = colours.repeat_y = False
            textures.append(colours)
        backgrounds = [
            context.framebuffer([context.texture((width, height), 4, part.tobytes())])
            for part in _to_bytes(workload.background)
        ]
        frame = context.framebuffer(
            [context.renderbuffer((width, height), 4)],
            context.depth_renderbuffer((width, height)),
        )
        pictures = np.zeros([len(positions), height, width, 4], np.uint8)
        return _Loaded(positions, buffer, mesh, textures, backgrounds, frame, pictures)

    def draw(self, loaded):
        context = self._context
        context.enable(self._gl.DEPTH_TEST | self._gl.CULL_FACE)
        # y points downwards here, as rows do in memory.
        context.front_face = "cw"
        for index, positions in enumerate(loaded.positions):
            loaded.buffer.write(positions)
            loaded.frame.use()
            loaded.frame.clear(depth=1.0)
            context.copy_framebuffer(loaded.frame, loaded.backgrounds[index])
            loaded.textures[index].use()
            loaded.mesh.render()
            loaded.frame.read_into(loaded.pictures[index], components=4)
        return loaded.pictures

    def to_numpy(self, result):
        return result[..., :3] / 127.5 - 1.0
