// The textured mesh, drawn by three.js as the renderer draws it.

import {
  Group,
  LinearSRGBColorSpace,
  Matrix4,
  Mesh,
  NoColorSpace,
  PerspectiveCamera,
  Scene,
  ShaderMaterial,
  Vector3,
  WebGLRenderer,
} from "three";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

const SURFACES = { texture: 0, plain: 1, normals: 2, wires: 1 };
const ZOOM = { least: 0.5, greatest: 6 };

// Light adds up in linear space; colours are those of displays, as in Renderer.
const VERTEX_SHADER = `
varying vec2 textureCoordinates;
varying vec3 direction;
void main() {
  textureCoordinates = uv;
  direction = normalMatrix * normal;
  gl_Position = projectionMatrix * modelViewMatrix * vec4(position, 1.0);
}`;
const FRAGMENT_SHADER = `
uniform sampler2D colours;
uniform float ambient;
uniform vec3 directions[2];
uniform float strengths[2];
uniform int surface;
varying vec2 textureCoordinates;
varying vec3 direction;
void main() {
  vec3 unit = normalize(direction);
  float light = ambient;
  for (int lamp = 0; lamp < 2; lamp++) {
    light += strengths[lamp] * max(dot(unit, directions[lamp]), 0.0);
  }
  vec3 colour = surface == 0 ? texture2D(colours, textureCoordinates).rgb : vec3(0.8);
  colour *= pow(light, 1.0 / 2.2);
  gl_FragColor = vec4(surface == 2 ? 0.5 + 0.5 * unit : colour, 1.0);
}`;

/** Whether the browser can draw meshes. */
export function canDraw() {
  return Boolean(document.createElement("canvas").getContext("webgl2"));
}

/** Draws one mesh into a canvas, whenever something changes. */
export class MeshView {
  #renderer;
  #scene = new Scene();
  #turned = new Group();
  #camera;
  #middle;
  #material;
  #loader = new GLTFLoader();

  constructor(canvas, { camera, light }, onLost) {
    this.#renderer = new WebGLRenderer({ canvas, alpha: true, antialias: true });
    this.#renderer.outputColorSpace = LinearSRGBColorSpace;
    this.#renderer.setPixelRatio(Math.min(devicePixelRatio, 2));
    const { distance, field_of_view_degrees: fieldOfView, pivot } = camera;
    this.#middle = new Vector3(...pivot);
    this.#camera = new PerspectiveCamera(fieldOfView, 1, 0.5 * distance, 2 * distance);
    this.#camera.position.z = distance;
    this.#material = new ShaderMaterial({
      vertexShader: VERTEX_SHADER,
      fragmentShader: FRAGMENT_SHADER,
      uniforms: {
        colours: { value: null },
        ambient: { value: light.ambient },
        directions: {
          value: light.lamps.map(({ direction }) => new Vector3(...direction)),
        },
        strengths: { value: light.lamps.map(({ strength }) => strength) },
        surface: { value: SURFACES.texture },
      },
    });
    this.#turned.matrixAutoUpdate = false;
    this.#scene.add(this.#turned);
    canvas.addEventListener("webglcontextlost", onLost);
    new ResizeObserver(([{ contentRect }]) => {
      this.#renderer.setSize(contentRect.width, contentRect.height, false);
      this.#draw();
    }).observe(canvas.parentElement);
  }

  /** Shows the mesh of a GLB file. */
  async load(content) {
    const { scene } = await this.#loader.parseAsync(content, "");
    let found;
    scene.traverse((object) => (found = object.isMesh ? object : found));
    const colours = found.material.map;
    colours.colorSpace = NoColorSpace;
    for (const old of this.#turned.children) old.geometry.dispose();
    this.#material.uniforms.colours.value?.dispose();
    this.#material.uniforms.colours.value = colours;
    this.#turned.clear();
    const mesh = new Mesh(found.geometry, this.#material);
    mesh.position.copy(this.#middle).negate();
    this.#turned.add(mesh);
    this.#draw();
  }

  /** Turns the mesh to a viewpoint. */
  turn({ yaw, pitch, roll }) {
    // y and z point the other way than in the project's own axes.
    const [y, x, z] = [yaw, pitch, roll].map((angle) => (angle * Math.PI) / 180);
    this.#turned.matrix
      .makeRotationZ(-z)
      .multiply(new Matrix4().makeRotationX(x))
      .multiply(new Matrix4().makeRotationY(-y));
    this.#turned.matrixWorldNeedsUpdate = true;
    this.#draw();
  }

  /** Shows the texture, a plain colour, normals, or wires. */
  show(surface) {
    this.#material.uniforms.surface.value = SURFACES[surface];
    this.#material.wireframe = surface === "wires";
    this.#draw();
  }

  /** Enlarges what is seen by a factor. */
  zoom(factor) {
    const { least, greatest } = ZOOM;
    const zoom = this.#camera.zoom * factor;
    this.#camera.zoom = Math.min(greatest, Math.max(least, zoom));
    this.#camera.updateProjectionMatrix();
    this.#draw();
  }

  #draw() {
    this.#renderer.render(this.#scene, this.#camera);
  }
}
