// The page: its controls, and what they change.

import { Connection } from "./connection.js";
import { Latest } from "./latest.js";
import { canDraw, MeshView } from "./mesh_view.js";
import * as service from "./service.js";
import { Styles } from "./styles.js";
import { FRONT, isShortcut, makeTurnable, turned } from "./turning.js";

const SEEDS = 1e9;
const ZOOM_STEP = 1.25;

const byId = (id) => document.getElementById(id);
const number = (id) => byId(id).valueAsNumber;
const checked = (id) => byId(id).checked;

let description; // of the model, once it is known
let styles;
let meshView; // null without WebGL
let seeds = { seed: 0, "other-seed": 1 }; // the last valid ones
let meshViewpoint = FRONT; // that of the picture, or its own

const connection = new Connection(() => (description ? refresh() : start()));
const picture = new Latest("picture", updatePicture, connection);
const mesh = new Latest("mesh", updateMesh, connection);

// What the controls say.

function viewpoint() {
  return { yaw: number("yaw"), pitch: number("pitch"), roll: number("roll") };
}

function currentStyle() {
  return styles.style({
    seed: seeds.seed,
    otherSeed: seeds["other-seed"],
    mix: number("mix") / 100,
    truncation: number("truncation"),
    steps: steps(),
  });
}

function currentKind() {
  return byId("controls").elements.kind.value;
}

function steps() {
  return description.directions.map((_, index) => number(`direction-${index}`));
}

/** What identity is asked for, for captions and names of files. */
function identity() {
  const mix = number("mix");
  const mixed = `mixed with seed ${seeds["other-seed"]} at ${mix} %`;
  return [
    mix > 0 ? `seed ${seeds.seed} ${mixed}` : `seed ${seeds.seed}`,
    `truncation ${number("truncation")}`,
    ...steps().flatMap((step, index) =>
      step ? [`direction ${index + 1} at ${step}`] : [],
    ),
  ].join(", ");
}

function fileName(suffix) {
  const words = `${description.name} ${identity()}`;
  return `${words.replace(/[^\w.-]+/g, "-")}${suffix}`;
}

// What is shown.

async function show(image, blob, alt) {
  const old = image.src;
  image.src = URL.createObjectURL(blob);
  image.alt = alt;
  await image.decode();
  if (old) URL.revokeObjectURL(old);
}

async function updatePicture() {
  const kind = currentKind();
  const from = viewpoint();
  const alt = `${kind} of ${identity()}, yaw ${from.yaw}°, pitch ${from.pitch}°`;
  const blob = await service.picture(await currentStyle(), kind, from);
  await show(byId("picture-image"), blob, alt);
}

async function updateMesh() {
  const alt = `mesh of ${identity()}`;
  const style = await currentStyle();
  if (meshView) {
    await meshView.load(await (await service.mesh(style)).arrayBuffer());
  } else {
    const blob = await service.picture(style, "object", meshViewpoint);
    await show(byId("mesh-image"), blob, alt);
  }
}

function refresh() {
  picture.ask();
  mesh.ask();
}

function viewChanged() {
  if (checked("together")) turnMesh(viewpoint());
  picture.ask();
}

function turnMesh(to) {
  meshViewpoint = to;
  if (meshView) meshView.turn(to);
  else mesh.ask();
}

function useWebGL() {
  meshView = new MeshView(byId("mesh-canvas"), description, () => {
    useWithoutWebGL();
    mesh.ask();
  });
  byId("mesh-canvas").hidden = byId("zoom").hidden = false;
}

/** Without WebGL the service draws the mesh, too. */
function useWithoutWebGL() {
  meshView = null;
  byId("mesh-canvas").hidden = byId("zoom").hidden = byId("surfaces").hidden = true;
  byId("mesh-image").hidden = false;
  byId("mesh-caption").textContent = "Mesh, drawn by the service without WebGL";
  byId("mesh").setAttribute(
    "aria-label",
    "Mesh. Drag or use the arrow keys to turn it; Home shows the front.",
  );
}

// What changes the controls.

function setSlider(id, value) {
  byId(id).value = value;
  showValue(byId(id));
}

function showValue(slider) {
  const text = `${slider.value.replace("-", "−")}${slider.dataset.unit ?? ""}`;
  byId(`${slider.id}-value`).textContent = text;
  slider.setAttribute("aria-valuetext", text);
}

function setViewpoint(to) {
  for (const [id, value] of Object.entries(to)) setSlider(id, value);
  viewChanged();
}

function setSeed(id, value) {
  byId(id).value = value;
  readSeed(id);
}

/** Takes a seed over if it is valid, and otherwise says what is wrong. */
function readSeed(id) {
  const input = byId(id);
  const valid = input.checkValidity();
  input.setAttribute("aria-invalid", String(!valid));
  byId(`${id}-error`).textContent = valid
    ? ""
    : "A seed is a whole number from 0 to 999,999,999.";
  if (!valid || seeds[id] === input.valueAsNumber) return;
  seeds[id] = input.valueAsNumber;
  refresh();
}

const randomSeed = () => Math.floor(Math.random() * SEEDS);

/** A viewpoint within the limits of training, each as likely as any other. */
function randomViewpoint() {
  const [yaw, pitch, roll] = description.viewpoint_limits_degrees.map((limit) =>
    Math.round((2 * Math.random() - 1) * limit),
  );
  return { yaw, pitch, roll };
}

function onClick(id, action) {
  byId(id).addEventListener("click", action);
}

function addSlider(id) {
  const slider = byId(id);
  const isView = Object.hasOwn(FRONT, id);
  showValue(slider);
  slider.addEventListener("input", () => {
    showValue(slider);
    if (isView) viewChanged();
    else picture.ask();
  });
  // A mesh takes longer than a picture, so it waits until the slider is let go.
  if (!isView) slider.addEventListener("change", () => mesh.ask());
}

function addDirections() {
  description.directions.forEach(({ part_of_variance: part }, index) => {
    const id = `direction-${index}`;
    const row = document.createElement("div");
    row.className = "slider";
    row.innerHTML = `
      <label for="${id}">Direction ${index + 1} (${Math.round(100 * part)} % of variance)</label>
      <span id="${id}-value" class="value" aria-hidden="true"></span>
      <input id="${id}" type="range" min="-3" max="3" step="0.1" value="0" data-unit=" σ">`;
    byId("directions").append(row);
    addSlider(id);
  });
}

function addControls() {
  byId("controls").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["mix", "truncation", "yaw", "pitch", "roll"]) addSlider(id);
  for (const id of ["seed", "other-seed"]) {
    byId(id).addEventListener("change", () => readSeed(id));
  }
  onClick("previous", () => setSeed("seed", Math.max(0, seeds.seed - 1)));
  onClick("next", () => setSeed("seed", Math.min(SEEDS - 1, seeds.seed + 1)));
  onClick("random", () => setSeed("seed", randomSeed()));
  onClick("reset-directions", () => {
    description.directions.forEach((_, index) => setSlider(`direction-${index}`, 0));
    refresh();
  });
  onClick("front", () => setViewpoint(FRONT));
  onClick("random-both", () => {
    if (!checked("lock-view")) setViewpoint(randomViewpoint());
    if (!checked("lock-identity")) setSeed("seed", randomSeed());
  });
  // What stands in the legend of a disabled fieldset can still be used.
  for (const name of ["identity", "view"]) {
    byId(`lock-${name}`).addEventListener("change", () => {
      byId(name).disabled = checked(`lock-${name}`);
      byId("random-both").disabled = checked("lock-identity") && checked("lock-view");
    });
  }
  byId("together").addEventListener("change", () => {
    if (checked("together")) turnMesh(viewpoint());
  });
  byId("kinds").addEventListener("change", () => picture.ask());
  byId("surface").addEventListener("change", () => meshView.show(byId("surface").value));
}

function addTurning() {
  const turnBoth = (yaw, pitch) => {
    if (!checked("lock-view")) setViewpoint(turned(viewpoint(), yaw, pitch));
  };
  const frontOfBoth = () => {
    if (!checked("lock-view")) setViewpoint(FRONT);
  };
  makeTurnable(byId("picture"), turnBoth, frontOfBoth);
  makeTurnable(
    byId("mesh"),
    (yaw, pitch) => {
      if (checked("together")) turnBoth(yaw, pitch);
      else turnMesh(turned(meshViewpoint, yaw, pitch));
    },
    () => {
      if (checked("together")) frontOfBoth();
      else turnMesh(FRONT);
    },
  );
}

function addZoom() {
  onClick("zoom-in", () => meshView.zoom(ZOOM_STEP));
  onClick("zoom-out", () => meshView.zoom(1 / ZOOM_STEP));
  byId("mesh").addEventListener("keydown", (event) => {
    if (isShortcut(event)) return;
    if (event.key === "+") meshView?.zoom(ZOOM_STEP);
    if (event.key === "-") meshView?.zoom(1 / ZOOM_STEP);
  });
}

/** Saves a file, and tells in a line how that went. */
async function download(button, line, suffix, make) {
  const name = fileName(suffix);
  button.disabled = true;
  line.textContent = `Making ${name} …`;
  try {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(await make(await currentStyle()));
    link.download = name;
    link.click();
    URL.revokeObjectURL(link.href);
    line.textContent = `Saved ${name}`;
  } catch (error) {
    line.textContent = `${name} could not be made: ${error.message}`;
  } finally {
    button.disabled = false;
  }
}

function addDownloads() {
  const add = (button, suffix, make) => {
    const line = document.createElement("p");
    byId("status").append(line);
    button.addEventListener("click", () => download(button, line, suffix, make));
  };
  add(byId("download-mesh"), ".glb", service.mesh);
  for (const suffix of description.video_suffixes) {
    const button = document.createElement("button");
    button.type = "button";
    button.id = `download-${suffix.slice(1)}`;
    button.textContent = `Turntable (${suffix.slice(1).toUpperCase()})`;
    byId("downloads").append(button);
    add(button, suffix, (style) => service.video(style, suffix, number("pitch")));
  }
}

function addEverything() {
  document.title = `${description.name} – tf_unsup3d viewer`;
  byId("model-name").textContent = description.name;
  const [yaw, pitch] = description.viewpoint_limits_degrees.map(Math.round);
  byId("view-hint").textContent =
    `Training saw up to ±${yaw}° of yaw and ±${pitch}° of pitch; what lies beyond is a guess.`;
  styles = new Styles(description);
  addDirections();
  addControls();
  addTurning();
  addZoom();
  addDownloads();
  try {
    if (canDraw()) useWebGL();
    else useWithoutWebGL();
  } catch {
    // A browser may have WebGL and yet give the page none of it.
    useWithoutWebGL();
  }
  byId("controls").inert = false;
  refresh();
}

async function start() {
  try {
    description = await service.describe();
    addEverything();
    connection.clear("page");
  } catch (error) {
    connection.report("page", error);
  }
}

start();
