// Viewpoints, and turning objects by dragging and by keys.
//
// Angles are in degrees. Positive yaw turns a face to the left, positive pitch turns it
// downwards, positive roll turns it clockwise.

export const FRONT = Object.freeze({ yaw: 0, pitch: 0, roll: 0 });

const DEGREES_PER_KEY = 5;
// A drag over the whole frame.
const DEGREES_PER_FRAME = 180;

/** Whether a key is meant for the browser, such as Alt and an arrow. */
export const isShortcut = ({ altKey, ctrlKey, metaKey }) => altKey || ctrlKey || metaKey;

/** Turns a viewpoint further. */
export function turned(viewpoint, yaw, pitch) {
  const wrapped = ((viewpoint.yaw + yaw + 180) % 360 + 360) % 360 - 180;
  const clamped = Math.min(90, Math.max(-90, viewpoint.pitch + pitch));
  return { yaw: wrapped, pitch: clamped, roll: viewpoint.roll };
}

/** Calls `onTurn(yaw, pitch)` for drags and arrow keys, and `onFront()` for Home. */
export function makeTurnable(frame, onTurn, onFront) {
  let drag = null;
  frame.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    drag = { pointerId: event.pointerId, x: event.clientX, y: event.clientY };
    frame.setPointerCapture(event.pointerId);
  });
  frame.addEventListener("pointermove", (event) => {
    if (event.pointerId !== drag?.pointerId) return;
    // Whole degrees, and what is left for the next event.
    const scale = DEGREES_PER_FRAME / frame.clientWidth;
    const yaw = Math.round((drag.x - event.clientX) * scale);
    const pitch = Math.round((event.clientY - drag.y) * scale);
    if (!yaw && !pitch) return;
    drag.x -= yaw / scale;
    drag.y += pitch / scale;
    onTurn(yaw, pitch);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    frame.addEventListener(name, () => (drag = null));
  }
  const keys = {
    ArrowLeft: () => onTurn(DEGREES_PER_KEY, 0),
    ArrowRight: () => onTurn(-DEGREES_PER_KEY, 0),
    ArrowUp: () => onTurn(0, -DEGREES_PER_KEY),
    ArrowDown: () => onTurn(0, DEGREES_PER_KEY),
    Home: onFront,
  };
  frame.addEventListener("keydown", (event) => {
    if (isShortcut(event) || event.target !== frame) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });
}
