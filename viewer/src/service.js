// What the page asks of the service.

/**
 * An answer that did not come. Its `kind` says why: "gone" if the service cannot be
 * reached, "unavailable" if it may answer later, "refused" if it will not.
 */
export class ServiceError extends Error {
  constructor(kind, message) {
    super(message);
    this.kind = kind;
  }
}

let model; // as `describe` found it

async function ask(read, path, options) {
  let response;
  try {
    response = await fetch(path, options);
    if (response.ok) return await read(response);
  } catch {
    throw new ServiceError("gone", "the service does not answer");
  }
  // The service was started again with another model, or another name for it: nothing
  // that the page knows is true any more.
  if (response.status === 412 || (model && response.status === 404)) {
    location.reload();
    return new Promise(() => {});
  }
  const message = await response.json().then(
    (body) => body.error,
    () => response.statusText,
  );
  throw new ServiceError(response.status === 503 ? "unavailable" : "refused", message);
}

const asBlob = (response) => response.blob();
const asJson = (response) => response.json();

/** Writes a style so that its float32 elements are kept exactly. */
function query(style, values = {}) {
  const text = style.map((value) => value.toPrecision(9)).join(",");
  const { checksum } = model;
  return `style=${text}&${new URLSearchParams({ checksum, ...values })}`;
}

function angles(viewpoint) {
  return {
    yaw_degrees: viewpoint.yaw,
    pitch_degrees: viewpoint.pitch,
    roll_degrees: viewpoint.roll,
  };
}

/** Resolves when the model is loaded. */
export const ready = () => ask(asJson, "/readyz");

/** Describes the model; see `Views.describe` in Python. */
export async function describe() {
  model = await ask(asJson, "/viewer/model.json");
  return model;
}

/** Maps a seed to a style by the signature `map_seed`, in TensorFlow Serving's protocol. */
export async function mapSeed(seed) {
  const body = JSON.stringify({
    signature_name: "map_seed",
    inputs: { seed: [seed], truncation_psi: [1] },
  });
  const path = `/v1/models/${encodeURIComponent(model.name)}:predict`;
  return (await ask(asJson, path, { method: "POST", body })).outputs[0];
}

/** Draws an object as a PNG file. */
export const picture = (style, kind, viewpoint) =>
  ask(asBlob, `/viewer/picture.png?${query(style, { kind, ...angles(viewpoint) })}`);

/** Makes the GLB file of an object. */
export const mesh = (style) => ask(asBlob, `/viewer/mesh.glb?${query(style)}`);

/** Makes a video of one turn of an object. */
export const video = (style, suffix, pitch) =>
  ask(asBlob, `/viewer/turntable${suffix}?${query(style, { pitch_degrees: pitch })}`);
