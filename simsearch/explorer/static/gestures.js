// Drags, pinches, wheels and double clicks on an element, as moves and zooms in its own pixels.

/**
 * `pan` gets the way of a finger, `zoom` a factor and the place that stays where it is.
 * @param {HTMLElement} element
 * @param {(dx: number, dy: number) => void} pan
 * @param {(factor: number, x: number, y: number) => void} zoom
 */
export function onGestures(element, pan, zoom) {
  /** @type {Map<number, [number, number]>} */
  const held = new Map();
  let spread = 0;
  /**
   * @param {MouseEvent} event
   * @returns {[number, number]}
   */
  const at = (event) => {
    const seen = element.getBoundingClientRect();
    return [event.clientX - seen.left, event.clientY - seen.top];
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return; // opens a menu, which keeps the end of the gesture to itself
    element.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at(event));
    spread = 0;
  });
  element.addEventListener("pointermove", (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const now = at(event);
    held.set(event.pointerId, now);
    pan((now[0] - last[0]) / held.size, (now[1] - last[1]) / held.size);
    if (held.size !== 2) return;
    const [[ax, ay], [bx, by]] = [...held.values()];
    const apart = Math.hypot(ax - bx, ay - by);
    if (spread) zoom(apart / spread, (ax + bx) / 2, (ay + by) / 2);
    spread = apart;
  });
  element.addEventListener("pointerup", (event) => held.delete(event.pointerId));
  element.addEventListener("pointercancel", (event) => held.delete(event.pointerId));
  element.addEventListener("lostpointercapture", (event) => held.delete(event.pointerId));
  element.addEventListener("dblclick", (event) => zoom(2, ...at(event)));
  element.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...at(event));
    },
    { passive: false },
  );
}

/** @type {Record<string, [number, number]>} */
const STEPS = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };

/**
 * Moves or zooms as a key says. Returns whether the key says anything.
 * @param {string} key
 * @param {(dx: number, dy: number) => void} pan
 * @param {(factor: number) => void} zoom
 * @param {() => void} showWhole
 */
export function onKey(key, pan, zoom, showWhole) {
  const step = STEPS[key];
  if (step) pan(...step);
  else if (key === "+" || key === "=") zoom(1.5);
  else if (key === "-") zoom(1 / 1.5);
  else if (key === "0" || key === "Home") showWhole();
  else return false;
  return true;
}
