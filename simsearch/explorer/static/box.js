// A box on a picture: drawn, moved and sized by mouse or finger, by arrow keys, and by four numbers.

const NAMES = ["left", "top", "width", "height"];
const LEAST = 2; // per cent of a side

/**
 * `form` has a .boxed picture with a .box in it, and number inputs of the four names.
 * @param {HTMLFormElement} form
 */
export function boxOn(form) {
  const frame = /** @type {HTMLElement} */ (form.querySelector(".boxed"));
  const box = /** @type {HTMLElement} */ (frame.querySelector(".box"));
  const inputs = NAMES.map((name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)));
  const values = () => inputs.map((input) => Math.min(100, Math.max(0, Number(input.value) || 0)));
  /**
   * @param {number} value
   * @param {number} low
   * @param {number} high
   */
  const limit = (value, low, high) => Math.min(high, Math.max(low, value));

  function draw() {
    const [left, top, width, height] = values();
    Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });
  }

  /**
   * @param {number} left
   * @param {number} top
   * @param {number} width
   * @param {number} height
   */
  function set(left, top, width, height) {
    width = limit(width, LEAST, 100);
    height = limit(height, LEAST, 100);
    left = limit(left, 0, 100 - width);
    top = limit(top, 0, 100 - height);
    [left, top, width, height].forEach((value, place) => (inputs[place].value = String(Math.round(value * 10) / 10)));
    draw();
  }

  /** @param {PointerEvent} event */
  const point = (event) => {
    const seen = frame.getBoundingClientRect();
    return [
      limit(((event.clientX - seen.left) / seen.width) * 100, 0, 100),
      limit(((event.clientY - seen.top) / seen.height) * 100, 0, 100),
    ];
  };

  /** @type {{ fixed: number[] } | { from: number[], size: number[] } | null} */
  let held = null;
  let before = values(); // the box that is being drawn or moved
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    const [x, y] = point(event);
    const [left, top, width, height] = (before = values());
    const corner = [...box.children].indexOf(/** @type {Element} */ (event.target));
    if (corner >= 0) held = { fixed: [corner % 2 ? left : left + width, corner < 2 ? top + height : top] };
    else if (event.target === box) held = { from: [x - left, y - top], size: [width, height] };
    else held = { fixed: [x, y] };
    box.focus({ preventScroll: true });
  });
  frame.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = point(event);
    if ("fixed" in held) {
      const [fx, fy] = held.fixed;
      set(Math.min(x, fx), Math.min(y, fy), Math.abs(x - fx), Math.abs(y - fy));
    } else set(x - held.from[0], y - held.from[1], held.size[0], held.size[1]);
  });
  function takeBack() {
    if (!held) return false;
    held = null;
    const [left, top, width, height] = before;
    set(left, top, width, height);
    return true;
  }
  frame.addEventListener("pointerup", () => (held = null));
  frame.addEventListener("pointercancel", takeBack);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && takeBack()) event.preventDefault();
  });

  box.addEventListener("keydown", (event) => {
    /** @type {Record<string, number[]>} */
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const step = steps[event.key];
    if (event.key === "Enter") form.requestSubmit();
    if (!step) return;
    event.preventDefault();
    event.stopPropagation(); // the page's own keys turn to the next picture
    const [left, top, width, height] = values();
    if (event.shiftKey)
      set(left, top, Math.min(width + 2 * step[0], 100 - left), Math.min(height + 2 * step[1], 100 - top));
    else set(left + 2 * step[0], top + 2 * step[1], width, height);
  });
  for (const input of inputs) {
    input.addEventListener("input", draw);
    input.addEventListener("change", () => {
      const [left, top, width, height] = values();
      set(left, top, width, height);
    });
  }

  box.hidden = false;
  /** @type {HTMLElement} */ (form.querySelector("[data-hint]")).hidden = false;
  draw();
  return { parameters: () => Object.fromEntries(NAMES.map((name, place) => [name, inputs[place].value.trim()])) };
}
