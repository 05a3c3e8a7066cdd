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

async function ask(read, path, options) {
  let response;
  try {
    response = await fetch(path, options);
    if (response.ok) return await read(response);
  } catch (error) {
    throw new ServiceError("gone", String(error));
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
  return `style=${text}&${new URLSearchParams(values)}`;
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
export const describe = () => ask(asJson, "/viewer/model.json");

/** Maps seeds to styles by the signature `map_seed`, in TensorFlow Serving's protocol. */
export async function mapSeeds(name, seeds, truncation) {
  const body = JSON.stringify({
    signature_name: "map_seed",
    inputs: { seed: seeds, truncation_psi: truncation },
  });
  const path = `/v1/models/${encodeURIComponent(name)}:predict`;
  return (await ask(asJson, path, { method: "POST", body })).outputs;
}

/** Draws an object as a PNG file. */
export const picture = (style, kind, viewpoint) =>
  ask(asBlob, `/viewer/picture.png?${query(style, { kind, ...angles(viewpoint) })}`);

/** Makes the GLB file of an object. */
export const mesh = (style) => ask(asBlob, `/viewer/mesh.glb?${query(style)}`);

/** Makes a video of one turn of an object. */
export const video = (style, suffix, pitch) =>
  ask(asBlob, `/viewer/turntable${suffix}?${query(style, { pitch_degrees: pitch })}`);
