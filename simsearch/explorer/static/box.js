// @ts-nocheck
// A box on a picture: drawn, moved and sized by mouse or finger, by arrow keys, and by four numbers.

const NAMES = ["left", "top", "width", "height"];
const LEAST = 2; // per cent of a side

// `form` has a .boxed picture with a .box in it, and number inputs of the four names.
export function boxOn(form) {
  const frame = form.querySelector(".boxed");
  const box = frame.querySelector(".box");
  const inputs = NAMES.map((name) => form.elements[name]);
  const values = () => inputs.map((input) => Math.min(100, Math.max(0, Number(input.value) || 0)));
  const limit = (value, low, high) => Math.min(high, Math.max(low, value));

  function draw() {
    const [left, top, width, height] = values();
    Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${width}%`, height: `${height}%` });
  }

  function set(left, top, width, height) {
    width = limit(width, LEAST, 100);
    height = limit(height, LEAST, 100);
    left = limit(left, 0, 100 - width);
    top = limit(top, 0, 100 - height);
    [left, top, width, height].forEach((value, place) => (inputs[place].value = String(Math.round(value * 10) / 10)));
    draw();
  }

  const point = (event) => {
    const seen = frame.getBoundingClientRect();
    return [
      limit(((event.clientX - seen.left) / seen.width) * 100, 0, 100),
      limit(((event.clientY - seen.top) / seen.height) * 100, 0, 100),
    ];
  };

  let held = null;
  frame.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    const [x, y] = point(event);
    const [left, top, width, height] = values();
    const corner = [...box.children].indexOf(event.target);
    if (corner >= 0) held = { fixed: [corner % 2 ? left : left + width, corner < 2 ? top + height : top] };
    else if (event.target === box) held = { from: [x - left, y - top], size: [width, height] };
    else held = { fixed: [x, y] };
    box.focus({ preventScroll: true });
  });
  frame.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [x, y] = point(event);
    if (held.fixed) {
      const [fx, fy] = held.fixed;
      set(Math.min(x, fx), Math.min(y, fy), Math.abs(x - fx), Math.abs(y - fy));
    } else set(x - held.from[0], y - held.from[1], ...held.size);
  });
  for (const name of ["pointerup", "pointercancel"]) frame.addEventListener(name, () => (held = null));

  box.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
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
    input.addEventListener("change", () => set(...values()));
  }

  box.hidden = false;
  form.querySelector("[data-hint]").hidden = false;
  draw();
  return { parameters: () => Object.fromEntries(NAMES.map((name) => [name, form.elements[name].value.trim()])) };
}
