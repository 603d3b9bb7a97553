// A picture in all its pixels: the preview at once, then the tiles that are in sight, on a canvas.

import { clauseOf, read, sayFailed } from "./requests.js";

/** @typedef {{ width: number, height: number }} Size */

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("zoom"));
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const ask = /** @type {HTMLAnchorElement} */ (document.getElementById("asksee"));
const preview = new Image();
/** @type {Map<string, HTMLImageElement>} */
const tiles = new Map(); // address → Image
const KEPT = 240;
/** @type {{ width: number, height: number } | null} */
let size = null; // of the whole picture: known from the preview's shape until the tiles are described
/**
 * @typedef {{ width: number, height: number, tile: number, factors: number[], address: string,
 *   host?: string | null }} Info
 * @type {Info | null}
 */
let info = null;
const asked = new URLSearchParams(location.search);
/**
 * @param {string} name
 * @param {number} fallback
 */
const number = (name, fallback) => {
  const value = Number.parseFloat(asked.get(name) ?? "");
  return Number.isFinite(value) ? value : fallback;
};
// The middle as shares of the picture; zoom 1: the whole fits.
let view = { x: number("x", 0.5), y: number("y", 0.5), zoom: number("zoom", 1) };
let waiting = 0;

const whole = () => size ?? { width: 1, height: 1 };
const fit = () => Math.min(canvas.clientWidth / whole().width, canvas.clientHeight / whole().height);
const most = () => Math.max(4, 2 / fit());

function draw() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(paint);
}

function paint() {
  if (!size) return;
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio))
    Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  const scale = fit() * view.zoom; // CSS pixels per pixel of the picture
  const left = wide / 2 - view.x * size.width * scale;
  const top = high / 2 - view.y * size.height * scale;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, wide, high);
  if (preview.naturalWidth) context.drawImage(preview, left, top, size.width * scale, size.height * scale);
  if (info)
    for (const tile of inSight(size, info, scale, left, top, wide, high, ratio))
      context.drawImage(
        tile.image,
        left + tile.left * scale,
        top + tile.top * scale,
        tile.width * scale,
        tile.height * scale,
      );
  canvas.dataset.zoom = view.zoom.toFixed(3);
}

/**
 * The tiles to draw that have come; those that have not are asked for, the nearest to the middle first.
 * @param {Size} size
 * @param {Info} info
 * @param {number} scale
 * @param {number} left
 * @param {number} top
 * @param {number} wide
 * @param {number} high
 * @param {number} ratio
 */
function inSight(size, info, scale, left, top, wide, high, ratio) {
  if (preview.naturalWidth >= size.width * scale * ratio * 0.9) return []; // the preview is sharp enough
  const factor = info.factors.filter((one) => one * scale * ratio <= 1.5).pop() ?? info.factors[0];
  const side = info.tile * factor;
  /**
   * @param {number} start
   * @param {number} length
   * @param {number} whole
   */
  const range = (start, length, whole) => [
    Math.max(0, Math.floor(-start / scale / side)),
    Math.min(Math.ceil(whole / side), Math.ceil((length - start) / scale / side)),
  ];
  const [firstColumn, lastColumn] = range(left, wide, size.width);
  const [firstRow, lastRow] = range(top, high, size.height);
  const found = [];
  for (let row = firstRow; row < lastRow; row++)
    for (let column = firstColumn; column < lastColumn; column++) {
      const [left, top] = [column * side, row * side];
      const part = { left, top, width: Math.min(side, size.width - left), height: Math.min(side, size.height - top) };
      const image = tile(size, info, factor, column, row, part);
      if (image.complete && image.naturalWidth) found.push({ ...part, image });
    }
  canvas.dataset.tiles = String(found.length);
  return found;
}

/**
 * @param {Size} size
 * @param {Info} info
 * @param {number} factor
 * @param {number} column
 * @param {number} row
 * @param {{ left: number, top: number, width: number, height: number }} part
 */
function tile(size, info, factor, column, row, { left, top, width, height }) {
  const all = width === size.width && height === size.height;
  /** @type {Record<string, string | number>} */
  const values = {
    factor,
    column,
    row,
    region: all ? "full" : `${left},${top},${width},${height}`,
    out: Math.ceil(width / factor),
    high: Math.ceil(height / factor),
  };
  const address = info.address.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  let image = tiles.get(address);
  if (!image) {
    if (tiles.size >= KEPT) tiles.delete(tiles.keys().next().value ?? "");
    image = new Image();
    image.onload = draw;
    image.onerror = () => lost(address);
    image.src = address;
  } else tiles.delete(address);
  tiles.set(address, image); // the latest last
  return image;
}

/**
 * Some part did not come: what is drawn there is the preview.
 * @param {string} address
 */
function lost(address) {
  sayFailed(status, "Some parts of the picture did not come, and are shown less sharp.", () => {
    for (const [known, image] of tiles) if (!image.naturalWidth) tiles.delete(known);
    if (info) describe(info);
    draw();
  });
  canvas.dataset.lost = address;
}

/**
 * @param {number} x
 * @param {number} y
 * @param {number} zoom
 */
function move(x, y, zoom = view.zoom) {
  /** @param {number} value */
  const within = (value) => Math.min(1, Math.max(0, value));
  view = { x: within(x), y: within(y), zoom: Math.min(most(), Math.max(0.5, zoom)) };
  draw();
  remember();
}

/**
 * @param {number} factor
 * @param {number} x
 * @param {number} y
 */
function zoomAt(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const before = fit() * view.zoom;
  const zoom = Math.min(most(), Math.max(0.5, view.zoom * factor));
  const after = fit() * zoom;
  /**
   * @param {number} at
   * @param {number} middle
   * @param {number} whole
   */
  const shift = (at, middle, whole) => ((at - middle) / whole) * (1 / before - 1 / after);
  move(
    view.x + shift(x, canvas.clientWidth / 2, whole().width),
    view.y + shift(y, canvas.clientHeight / 2, whole().height),
    zoom,
  );
}

/**
 * @param {number} dx
 * @param {number} dy
 */
const pan = (dx, dy) =>
  move(view.x - dx / (whole().width * fit() * view.zoom), view.y - dy / (whole().height * fit() * view.zoom));
const showWhole = () => move(0.5, 0.5, 1);

let later = 0;
function remember() {
  clearTimeout(later);
  later = setTimeout(() => {
    const here = new URL(location.href);
    for (const [name, value] of Object.entries(view)) here.searchParams.set(name, value.toFixed(4));
    here.searchParams.set("snapshot", document.body.dataset.snapshot ?? "");
    history.replaceState(history.state, "", here);
    const there = new URL(ask.href);
    const [w, h] = [
      canvas.clientWidth / (whole().width * fit() * view.zoom),
      canvas.clientHeight / (whole().height * fit() * view.zoom),
    ];
    const edges = [view.x - w / 2, view.y - h / 2, view.x + w / 2, view.y + h / 2].map(
      (edge) => Math.min(1, Math.max(0, edge)) * 100,
    );
    const box = { left: edges[0], top: edges[1], width: edges[2] - edges[0], height: edges[3] - edges[1] };
    for (const [name, value] of Object.entries(box)) there.searchParams.set(name, value.toFixed(1));
    ask.href = there.href;
  }, 200);
}

/** @type {Map<number, [number, number]>} */
const held = new Map();
let spread = 0;
/**
 * @param {MouseEvent} event
 * @returns {[number, number]}
 */
const at = (event) => {
  const seen = canvas.getBoundingClientRect();
  return [event.clientX - seen.left, event.clientY - seen.top];
};
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, at(event));
  spread = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const last = held.get(event.pointerId);
  if (!last || !size) return;
  const now = at(event);
  held.set(event.pointerId, now);
  pan((now[0] - last[0]) / held.size, (now[1] - last[1]) / held.size);
  if (held.size !== 2) return;
  const [[ax, ay], [bx, by]] = [...held.values()];
  const apart = Math.hypot(ax - bx, ay - by);
  if (spread) zoomAt(apart / spread, (ax + bx) / 2, (ay + by) / 2);
  spread = apart;
});
canvas.addEventListener("pointerup", (event) => held.delete(event.pointerId));
canvas.addEventListener("pointercancel", (event) => held.delete(event.pointerId));
canvas.addEventListener("dblclick", (event) => size && zoomAt(2, ...at(event)));
canvas.addEventListener(
  "wheel",
  (event) => {
    event.preventDefault();
    if (size) zoomAt(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...at(event));
  },
  { passive: false },
);
canvas.addEventListener("keydown", (event) => {
  /** @type {Record<string, [number, number]>} */
  const steps = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] };
  const step = steps[event.key];
  if (!size || event.ctrlKey || event.metaKey || event.altKey) return;
  if (step) pan(...step);
  else if (event.key === "+" || event.key === "=") zoomAt(1.5);
  else if (event.key === "-") zoomAt(1 / 1.5);
  else if (event.key === "0" || event.key === "Home") showWhole();
  else return;
  event.preventDefault();
});
document.getElementById("zoombar")?.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button");
  if (!button || !size) return;
  if ("full" in button.dataset)
    document.fullscreenElement ? document.exitFullscreen() : canvas.parentElement?.requestFullscreen?.();
  else Number(button.dataset.zoom) ? zoomAt(Number(button.dataset.zoom)) : showWhole();
});
new ResizeObserver(draw).observe(canvas);

preview.onload = () => {
  size ??= { width: preview.naturalWidth, height: preview.naturalHeight };
  draw();
};
preview.src = canvas.dataset.preview ?? "";
/** @param {Info} info */
function describe(info) {
  const from = info.host ? `, from ${new URL(info.host).host}` : "";
  const [width, height] = [info.width, info.height].map((side) => side.toLocaleString("en"));
  const words = `${width} × ${height} pixels${from}.`;
  status.textContent = `${words} Drag, scroll or pinch; arrow keys, + and − do the same.`;
}

async function readTiles() {
  try {
    const described = /** @type {Info} */ (await read(canvas.dataset.tiles ?? "", "json"));
    info = described;
    size = { width: described.width, height: described.height };
    describe(described);
    move(view.x, view.y); // whoever has moved meanwhile stays there
  } catch (error) {
    sayFailed(status, `Only a small picture can be shown: ${clauseOf(error)}.`, readTiles);
  }
}
await readTiles();
canvas.dataset.ready = "1";
