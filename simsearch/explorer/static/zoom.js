// @ts-nocheck
// A picture in all its pixels: the preview at once, then the tiles that are in sight, on a canvas.

import { read, sayFailed } from "./requests.js";

const canvas = document.getElementById("zoom");
const context = canvas.getContext("2d");
const status = document.getElementById("status");
const ask = document.getElementById("asksee");
const preview = new Image();
const tiles = new Map(); // address → Image
const KEPT = 240;
let size = null; // of the whole picture: known from the preview's shape until the tiles are described
let info = null;
let view = { x: 0.5, y: 0.5, zoom: 1 }; // the middle as shares of the picture; zoom 1: the whole fits
let waiting = 0;

const fit = () => Math.min(canvas.clientWidth / size.width, canvas.clientHeight / size.height);
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
    for (const tile of inSight(scale, left, top, wide, high, ratio))
      context.drawImage(
        tile.image,
        left + tile.left * scale,
        top + tile.top * scale,
        tile.width * scale,
        tile.height * scale,
      );
  canvas.dataset.zoom = view.zoom.toFixed(3);
}

// The tiles to draw that have come; those that have not are asked for, the nearest to the middle first.
function inSight(scale, left, top, wide, high, ratio) {
  if (preview.naturalWidth >= size.width * scale * ratio * 0.9) return []; // the preview is sharp enough
  const factor = info.factors.filter((one) => one * scale * ratio <= 1.5).pop() ?? info.factors[0];
  const side = info.tile * factor;
  const range = (start, length, whole) => [
    Math.max(0, Math.floor(-start / scale / side)),
    Math.min(Math.ceil(whole / side), Math.ceil((length - start) / scale / side)),
  ];
  const [firstColumn, lastColumn] = range(left, wide, size.width);
  const [firstRow, lastRow] = range(top, high, size.height);
  const found = [];
  for (let row = firstRow; row < lastRow; row++)
    for (let column = firstColumn; column < lastColumn; column++) {
      const part = { left: column * side, top: row * side };
      part.width = Math.min(side, size.width - part.left);
      part.height = Math.min(side, size.height - part.top);
      part.image = tile(factor, column, row, part);
      if (part.image.complete && part.image.naturalWidth) found.push(part);
    }
  canvas.dataset.tiles = found.length;
  return found;
}

function tile(factor, column, row, { left, top, width, height }) {
  const whole = width === size.width && height === size.height;
  const values = {
    factor,
    column,
    row,
    region: whole ? "full" : `${left},${top},${width},${height}`,
    out: Math.ceil(width / factor),
    high: Math.ceil(height / factor),
  };
  const address = info.address.replace(/\{(\w+)\}/g, (_, name) => values[name]);
  let image = tiles.get(address);
  if (!image) {
    if (tiles.size >= KEPT) tiles.delete(tiles.keys().next().value);
    image = new Image();
    image.onload = draw;
    image.onerror = () => lost(address);
    image.src = address;
  } else tiles.delete(address);
  tiles.set(address, image); // the latest last
  return image;
}

// Some part did not come: what is drawn there is the preview.
function lost(address) {
  sayFailed(status, "Some parts of the picture did not come, and are shown less sharp.", () => {
    for (const [known, image] of tiles) if (!image.naturalWidth) tiles.delete(known);
    describe();
    draw();
  });
  canvas.dataset.lost = address;
}

function move(x, y, zoom = view.zoom) {
  const within = (value) => Math.min(1, Math.max(0, value));
  view = { x: within(x), y: within(y), zoom: Math.min(most(), Math.max(0.5, zoom)) };
  draw();
  remember();
}

function zoomAt(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const before = fit() * view.zoom;
  const zoom = Math.min(most(), Math.max(0.5, view.zoom * factor));
  const after = fit() * zoom;
  const shift = (at, middle, whole) => ((at - middle) / whole) * (1 / before - 1 / after);
  move(
    view.x + shift(x, canvas.clientWidth / 2, size.width),
    view.y + shift(y, canvas.clientHeight / 2, size.height),
    zoom,
  );
}

const pan = (dx, dy) =>
  move(view.x - dx / (size.width * fit() * view.zoom), view.y - dy / (size.height * fit() * view.zoom));
const whole = () => move(0.5, 0.5, 1);

let later = 0;
function remember() {
  clearTimeout(later);
  later = setTimeout(() => {
    const here = new URL(location.href);
    for (const [name, value] of Object.entries(view)) here.searchParams.set(name, value.toFixed(4));
    here.searchParams.set("snapshot", document.body.dataset.snapshot);
    history.replaceState(history.state, "", here);
    const there = new URL(ask.href);
    const [w, h] = [
      canvas.clientWidth / (size.width * fit() * view.zoom),
      canvas.clientHeight / (size.height * fit() * view.zoom),
    ];
    const edges = [view.x - w / 2, view.y - h / 2, view.x + w / 2, view.y + h / 2].map(
      (edge) => Math.min(1, Math.max(0, edge)) * 100,
    );
    const box = { left: edges[0], top: edges[1], width: edges[2] - edges[0], height: edges[3] - edges[1] };
    for (const [name, value] of Object.entries(box)) there.searchParams.set(name, value.toFixed(1));
    ask.href = there;
  }, 200);
}

const held = new Map();
let spread = 0;
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
  if (!held.has(event.pointerId) || !size) return;
  const [last, now] = [held.get(event.pointerId), at(event)];
  held.set(event.pointerId, now);
  pan((now[0] - last[0]) / held.size, (now[1] - last[1]) / held.size);
  if (held.size !== 2) return;
  const [[ax, ay], [bx, by]] = [...held.values()];
  const apart = Math.hypot(ax - bx, ay - by);
  if (spread) zoomAt(apart / spread, (ax + bx) / 2, (ay + by) / 2);
  spread = apart;
});
for (const name of ["pointerup", "pointercancel"])
  canvas.addEventListener(name, (event) => held.delete(event.pointerId));
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
  const step = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }[event.key];
  if (!size || event.ctrlKey || event.metaKey || event.altKey) return;
  if (step) pan(...step);
  else if (event.key === "+" || event.key === "=") zoomAt(1.5);
  else if (event.key === "-") zoomAt(1 / 1.5);
  else if (event.key === "0" || event.key === "Home") whole();
  else return;
  event.preventDefault();
});
document.getElementById("zoombar").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button || !size) return;
  if ("full" in button.dataset)
    document.fullscreenElement ? document.exitFullscreen() : canvas.parentElement.requestFullscreen?.();
  else Number(button.dataset.zoom) ? zoomAt(Number(button.dataset.zoom)) : whole();
});
new ResizeObserver(draw).observe(canvas);

const asked = new URLSearchParams(location.search);
const number = (name, fallback) => {
  const value = Number.parseFloat(asked.get(name));
  return Number.isFinite(value) ? value : fallback;
};
preview.onload = () => {
  size ??= { width: preview.naturalWidth, height: preview.naturalHeight };
  draw();
};
preview.src = canvas.dataset.preview;
function describe() {
  const from = info.host ? `, from ${new URL(info.host).host}` : "";
  const [width, height] = [info.width, info.height].map((side) => side.toLocaleString("en"));
  const words = `${width} × ${height} pixels${from}.`;
  status.textContent = `${words} Drag, scroll or pinch; arrow keys, + and − do the same.`;
}

async function readTiles() {
  try {
    info = await read(canvas.dataset.tiles, "json");
    size = { width: info.width, height: info.height };
    describe();
    move(number("x", 0.5), number("y", 0.5), number("zoom", 1));
  } catch (error) {
    sayFailed(status, `Only a small picture can be shown: ${error.message}.`, readTiles);
  }
}
await readTiles();
canvas.dataset.ready = "1";
