// A picture in all its pixels: the preview at once, then the tiles that are in sight, on a canvas.

import { onGestures, onKey } from "./gestures.js";
import { keepInAddress, toTexts, valueInAddress } from "./here.js";
import { clauseOf, sayFailed } from "./requests.js";
import { TiledPicture, pixelsOf } from "./tiles.js";

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("zoom"));
const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const ask = /** @type {HTMLAnchorElement} */ (document.getElementById("asksee"));
const addresses = { preview: canvas.dataset.preview ?? "", tiles: canvas.dataset.tiles ?? "" };
/**
 * @param {string} name
 * @param {number} fallback
 */
const number = (name, fallback) => {
  const value = Number.parseFloat(valueInAddress(name) ?? "");
  return Number.isFinite(value) ? value : fallback;
};
// The middle as shares of the picture; zoom 1: the whole fits.
let view = { x: number("x", 0.5), y: number("y", 0.5), zoom: number("zoom", 1) };
let waiting = 0;
const picture = new TiledPicture(addresses, draw, lost);

const whole = () => picture.size ?? { width: 1, height: 1 };
const fit = () => Math.min(canvas.clientWidth / whole().width, canvas.clientHeight / whole().height);
const most = () => Math.max(4, 2 / fit());

function draw() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(paint);
}

function paint() {
  const { size } = picture;
  if (!size) return;
  const ratio = devicePixelRatio || 1;
  const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(wide * ratio) || canvas.height !== Math.round(high * ratio))
    Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  const scale = fit() * view.zoom; // CSS pixels per pixel of the picture
  const left = wide / 2 - view.x * size.width * scale;
  const top = high / 2 - view.y * size.height * scale;
  canvas.dataset.tiles = String(picture.draw(context, { left, top, scale, wide, high, ratio }));
  canvas.dataset.zoom = view.zoom.toFixed(3);
}

/**
 * Some part did not come: the preview is drawn there.
 * @param {string} address
 */
function lost(address) {
  sayFailed(status, "Some parts of the picture did not come, and are shown less sharp.", () => {
    picture.forgetLost();
    if (picture.info) describe(picture.info);
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
    keepInAddress(toTexts(view));
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

onGestures(
  canvas,
  (dx, dy) => picture.size && pan(dx, dy),
  (factor, x, y) => picture.size && zoomAt(factor, x, y),
);
canvas.addEventListener("keydown", (event) => {
  if (!picture.size || event.ctrlKey || event.metaKey || event.altKey) return;
  if (onKey(event.key, pan, zoomAt, showWhole)) event.preventDefault();
});
document.getElementById("zoombar")?.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button");
  if (!button || !picture.size) return;
  if ("full" in button.dataset)
    document.fullscreenElement ? document.exitFullscreen() : canvas.parentElement?.requestFullscreen?.();
  else Number(button.dataset.zoom) ? zoomAt(Number(button.dataset.zoom)) : showWhole();
});
new ResizeObserver(draw).observe(canvas);

/** @param {import("./tiles.js").Info} info */
function describe(info) {
  status.textContent = `${pixelsOf(info)}. Drag, scroll or pinch; arrow keys, + and − do the same.`;
}

async function readTiles() {
  try {
    describe(await picture.describe());
    move(view.x, view.y); // whoever has moved meanwhile stays there
  } catch (error) {
    sayFailed(status, `Only a small picture can be shown: ${clauseOf(error)}.`, readTiles);
  }
}
await readTiles();
canvas.dataset.ready = "1";
