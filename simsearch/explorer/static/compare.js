// Two pictures in all their pixels: beside one another with one zoom, or one laid on the other by the transform
// that geometry has for them.

import { onGestures, onKey } from "./gestures.js";
import { keepInAddress, toTexts, valueInAddress } from "./here.js";
import { after, growth, inverse, move, placed } from "./homography.js";
import { Layer } from "./layer.js";
import { clauseOf, sayFailed } from "./requests.js";
import { TiledPicture, pixelsOf } from "./tiles.js";

/** @typedef {import("./homography.js").Homography} Homography */
/** @typedef {import("./tiles.js").Size} Size */

const FLICKER = 600; // milliseconds a picture: fewer than three changes a second, which harm nobody
const LEAST = 0.5; // zoom, of what both pictures cover together

const viewer = /** @type {HTMLElement} */ (document.getElementById("compare"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const slider = /** @type {HTMLInputElement} */ (document.getElementById("at"));
const wiper = /** @type {HTMLElement} */ (viewer.querySelector(".wiper"));
/** @type {HTMLElement[]} */
const panes = [...viewer.querySelectorAll(".pane")].map((pane) => /** @type {HTMLElement} */ (pane));
/** @type {NodeListOf<HTMLButtonElement>} */
const buttons = document.querySelectorAll("button[data-mode]");
const names = document.querySelectorAll("#compared > li");
const layers = panes.map((pane) => {
  const addresses = { preview: pane.dataset.preview ?? "", tiles: pane.dataset.tiles ?? "" };
  return new Layer(pane, new TiledPicture(addresses, draw, lost));
});
/** @type {Homography | null} */
const stored = viewer.dataset.transform ? JSON.parse(viewer.dataset.transform) : null;
const modes = [...buttons].map((button) => button.dataset.mode ?? "");

/**
 * @param {string} name
 * @param {number} fallback
 */
const number = (name, fallback) => {
  const value = Number.parseFloat(valueInAddress(name) ?? "");
  return Number.isFinite(value) ? value : fallback;
};
// The middle as shares of the first picture; zoom 1: the whole of it fits. `at`: the share of the slider.
let view = { x: number("x", 0.5), y: number("y", 0.5), zoom: number("zoom", 1) };
let at = number("at", 0.5);
let mode = modes.includes(valueInAddress("mode") ?? "") ? (valueInAddress("mode") ?? "") : "side";
let front = 1; // the picture that flickering shows
let flickering = 0;
let waiting = 0;

/** @param {Size} size */
const small = ({ width, height }) => {
  const scale = Number(viewer.dataset.side) / Math.max(width, height);
  return [Math.max(1, Math.round(width * scale)) / width, Math.max(1, Math.round(height * scale)) / height];
};

/**
 * The way from pixels of the first whole picture to those of the other; null where none is known.
 * @param {Size} first
 * @param {Size} other
 * @returns {Homography | null}
 */
function across(first, other) {
  if (!stored) return null;
  const [wide, high] = small(first);
  const [otherWide, otherHigh] = small(other);
  return after(placed([1 / otherWide, 1 / otherHigh]), after(stored, placed([wide, high])));
}

/**
 * @param {HTMLElement} pane
 * @param {Size} size
 */
const fit = (pane, size) => Math.min(pane.clientWidth / size.width, pane.clientHeight / size.height);

/**
 * How the pictures lie on their panes; null before their sizes are known.
 * @returns {{ first: Size, other: Size, between: Homography | null, ways: Homography[] } | null}
 */
function layout() {
  const [first, other] = layers.map((layer) => layer.picture.size);
  if (!first || !other) return null;
  const between = across(first, other);
  const scale = fit(panes[0], first) * view.zoom;
  const [x, y] = [view.x * first.width, view.y * first.height];
  const way = centred(panes[0], scale, x, y);
  if (between && mode !== "side") return { first, other, between, ways: [way, after(way, inverse(between))] };
  let [otherScale, otherX, otherY] = [fit(panes[1], other) * view.zoom, view.x * other.width, view.y * other.height];
  if (between) {
    ({ x: otherX, y: otherY } = move(between, x, y));
    otherScale = scale / growth(between, x, y);
  }
  return { first, other, between, ways: [way, centred(panes[1], otherScale, otherX, otherY)] };
}

/**
 * @param {HTMLElement} pane
 * @param {number} scale
 * @param {number} x
 * @param {number} y
 */
const centred = (pane, scale, x, y) =>
  placed(scale, pane.clientWidth / 2 - x * scale, pane.clientHeight / 2 - y * scale);

/**
 * The place of the first picture, in its pixels, under a place of a pane.
 * @param {NonNullable<ReturnType<typeof layout>>} laid
 * @param {number} pane
 * @param {number} x
 * @param {number} y
 */
function under({ first, other, between, ways }, pane, x, y) {
  const place = move(inverse(ways[pane]), x, y);
  if (pane === 0) return place;
  if (between) return move(inverse(between), place.x, place.y);
  return { x: (place.x / other.width) * first.width, y: (place.y / other.height) * first.height };
}

function draw() {
  cancelAnimationFrame(waiting);
  waiting = requestAnimationFrame(paint);
}

function paint() {
  const laid = layout();
  if (!laid) return;
  layers.forEach((layer, place) => layer.lay(laid.ways[place]));
  const over = panes[1].style;
  over.opacity = mode === "fade" ? String(at) : "1";
  over.clipPath = mode === "wipe" ? `inset(0 0 0 ${100 * at}%)` : "none";
  over.visibility = mode === "flicker" && front === 0 ? "hidden" : "visible";
  wiper.style.left = `${100 * at}%`;
  names.forEach((name, place) => name.classList.toggle("behind", mode === "flicker" && front !== place));
  viewer.dataset.zoom = view.zoom.toFixed(3);
  viewer.dataset.front = String(front);
}

/**
 * The shares of the first picture between which both pictures lie, and how often it fits in.
 * @param {NonNullable<ReturnType<typeof layout>>} laid
 */
function reach({ first, other, between }) {
  const [xs, ys] = [
    [0, 1],
    [0, 1],
  ];
  if (between) {
    const back = inverse(between);
    for (const x of [0, other.width])
      for (const y of [0, other.height]) {
        const end = move(back, x, y);
        xs.push(end.x / first.width);
        ys.push(end.y / first.height);
      }
  }
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const known = [left, right, top, bottom].every((edge) => Math.abs(edge) <= 100);
  return known ? { left, right, top, bottom } : { left: 0, right: 1, top: 0, bottom: 1 };
}

/**
 * @param {number} x
 * @param {number} y
 */
function go(x, y, zoom = view.zoom) {
  const laid = layout();
  if (!laid) return;
  const { left, right, top, bottom } = reach(laid);
  const least = LEAST / Math.max(1, right - left, bottom - top);
  const sharp = fit(panes[0], laid.first);
  const finest = laid.between ? Math.max(1, growth(laid.between, laid.first.width / 2, laid.first.height / 2)) : 1;
  view = {
    x: Math.min(right, Math.max(left, x)),
    y: Math.min(bottom, Math.max(top, y)),
    zoom: Math.min(Math.max(4, (2 * finest) / sharp), Math.max(least, zoom)),
  };
  draw();
  remember();
}

/**
 * @param {number} dx
 * @param {number} dy
 */
function pan(dx, dy, pane = 0) {
  const laid = layout();
  if (!laid) return;
  const { clientWidth, clientHeight } = panes[pane];
  const place = under(laid, pane, clientWidth / 2 - dx, clientHeight / 2 - dy);
  go(place.x / laid.first.width, place.y / laid.first.height);
}

/** @param {number} factor */
function zoomAt(factor, x = panes[0].clientWidth / 2, y = panes[0].clientHeight / 2, pane = 0) {
  const before = layout();
  if (!before) return;
  const place = under(before, pane, x, y);
  go(view.x, view.y, view.zoom * factor);
  const laid = layout() ?? before;
  const now = under(laid, pane, x, y);
  go(view.x + (place.x - now.x) / laid.first.width, view.y + (place.y - now.y) / laid.first.height);
}

const showWhole = () => go(0.5, 0.5, 1);

/** @param {string} chosen */
function choose(chosen) {
  if (!modes.includes(chosen)) return;
  const again = mode === "flicker" && chosen === "flicker";
  mode = chosen;
  viewer.dataset.mode = mode;
  for (const button of buttons) button.ariaPressed = String(button.dataset.mode === mode);
  const slides = mode === "fade" || mode === "wipe";
  slider.hidden = !slides;
  slider.ariaLabel = mode === "wipe" ? "Where the first picture ends" : "How much of the second picture is seen";
  flicker(mode === "flicker" && !(again && flickering) && !matchMedia("(prefers-reduced-motion: reduce)").matches);
  draw();
  remember();
}

/** @param {boolean} on */
function flicker(on) {
  clearInterval(flickering);
  flickering = on ? setInterval(turn, FLICKER) : 0;
  viewer.dataset.flickers = String(on);
}

function turn() {
  front = 1 - front;
  draw();
}

/** @param {number} share */
function slide(share) {
  at = Math.round(100 * Math.min(1, Math.max(0, share))) / 100;
  slider.value = String(Math.round(100 * at));
  draw();
  remember();
}

// The one picture instead of the other.
function swap() {
  if (mode === "flicker") {
    flicker(false);
    turn();
  } else if (mode !== "side") slide(at < 0.5 ? 1 : 0);
}

let later = 0;
function remember() {
  clearTimeout(later);
  later = setTimeout(() => {
    keepInAddress({ ...toTexts(view), mode, at: at.toFixed(2) });
  }, 200);
}

/**
 * Marks the place of the other picture that belongs to the one under the pointer.
 * @param {PointerEvent} event
 * @param {number} pane
 */
function point(event, pane) {
  const laid = layout();
  for (const place of [0, 1]) {
    const spot = /** @type {HTMLElement} */ (panes[place].querySelector(".spot"));
    spot.hidden = !laid?.between || mode !== "side" || place === pane || event.type === "pointerleave";
    if (spot.hidden || !laid?.between) continue;
    const seen = panes[pane].getBoundingClientRect();
    const { x, y } = under(laid, pane, event.clientX - seen.left, event.clientY - seen.top);
    const partner = place === 0 ? { x, y } : move(laid.between, x, y);
    const shown = move(laid.ways[place], partner.x, partner.y);
    Object.assign(spot.style, { left: `${shown.x}px`, top: `${shown.y}px` });
  }
}

panes.forEach((pane, place) => {
  onGestures(
    pane,
    (dx, dy) => pan(dx, dy, place),
    (factor, x, y) => zoomAt(factor, x, y, place),
  );
  pane.addEventListener("pointermove", (event) => point(event, place));
  pane.addEventListener("pointerleave", (event) => point(event, place));
});
viewer.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const slides = event.shiftKey && { ArrowLeft: -0.1, ArrowRight: 0.1 }[event.key];
  const chosen = modes[Number(event.key) - 1];
  if (slides) slide(at + slides);
  else if (chosen) choose(chosen);
  else if (event.key === " ") swap();
  else if (event.key === "f") showAll();
  else if (!onKey(event.key, pan, zoomAt, showWhole)) return;
  event.preventDefault();
});
const showAll = () => (document.fullscreenElement ? document.exitFullscreen() : viewer.requestFullscreen?.());
document.getElementById("comparebar")?.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button");
  if (!button) return;
  if ("full" in button.dataset) showAll();
  else if (button.dataset.mode) choose(button.dataset.mode);
  else Number(button.dataset.zoom) ? zoomAt(Number(button.dataset.zoom)) : showWhole();
});
slider.addEventListener("input", () => slide(Number(slider.value) / 100));
new ResizeObserver(draw).observe(viewer);

/** @param {string} address */
function lost(address) {
  sayFailed(status, "Some parts of the pictures did not come, and are shown less sharp.", () => {
    for (const layer of layers) layer.picture.forgetLost();
    describe();
    draw();
  });
  viewer.dataset.lost = address;
}

function describe() {
  const sizes = layers.flatMap(({ picture }) => (picture.info ? [pixelsOf(picture.info)] : []));
  status.textContent = `${sizes.join("; ")}.`;
}

async function readTiles() {
  try {
    await Promise.all(layers.map((layer) => layer.picture.describe()));
    describe();
    go(view.x, view.y); // an address may ask for a place far off
  } catch (error) {
    sayFailed(status, `Only small pictures can be shown: ${clauseOf(error)}.`, readTiles);
  }
  draw();
}
slide(at);
choose(mode);
await readTiles();
viewer.dataset.ready = "1";
