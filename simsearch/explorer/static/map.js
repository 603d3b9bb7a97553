// The map: up to 100,000 points on a plain 2-D canvas, grouped by colour so that one path draws
// each; thumbnails where few enough points are in sight; points that glide when the network changes.

const canvas = document.getElementById("map");
const form = document.getElementById("mapbar");
const tip = document.getElementById("tip");
const legend = document.getElementById("legend");
const status = document.getElementById("status");
const context = canvas.getContext("2d");
const live = canvas.dataset.live === "1";
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const dark = matchMedia("(prefers-color-scheme: dark)");
const CROWD = 1500; // points in sight, up to which pictures are shown
const THUMBNAILS = 160; // drawn at once
const GLIDE = 900; // milliseconds
const HUES = ["#0b72c4", "#d9622b", "#2a9d62", "#a24fb0", "#8d8500", "#d13d5b", "#2c93a3", "#8c6239", "#5468d4", "#6b8f1a", "#c0539a", "#8a8a8a"];
const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

const state = { artworks: null, points: null, from: null, glide: 1, scale: 1, x: 0, y: 0, found: null, hover: -1, wanted: null };
const pictures = new Map();
let drawn = false;

const address = (template, query = {}) => {
  const url = new URL(template, location.href);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return url;
};
const read = async (url) => {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the explorer answered ${answer.status}`);
  return answer;
};

async function load() {
  const { space, method } = choice();
  const source = live ? address(canvas.dataset.points, { space, method }) : address(`map/${space}-${method}.bin`);
  const points = normalised(new Float32Array(await (await read(source)).arrayBuffer()));
  state.from = state.points ? current() : null;
  state.points = points;
  state.glide = state.from && !calm.matches ? 0 : 1;
  state.started = performance.now();
  status.textContent = `${(points.length / 2).toLocaleString("en")} artworks by ${space}, ${method.toUpperCase()}`;
  draw();
}

function choice() {
  return { space: form.elements.space.value, method: form.elements.method.value };
}

function normalised(values) {
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let i = 0; i < values.length; i += 2) {
    left = Math.min(left, values[i]); right = Math.max(right, values[i]);
    top = Math.min(top, values[i + 1]); bottom = Math.max(bottom, values[i + 1]);
  }
  const span = Math.max(right - left, bottom - top) || 1;
  const points = new Float32Array(values.length);
  for (let i = 0; i < values.length; i += 2) {
    points[i] = (values[i] - (left + right) / 2) / span;
    points[i + 1] = (values[i + 1] - (top + bottom) / 2) / span;
  }
  return points;
}

function current() {
  if (state.glide >= 1 || !state.from) return state.points;
  const t = state.glide * state.glide * (3 - 2 * state.glide);
  const points = new Float32Array(state.points.length);
  for (let i = 0; i < points.length; i++) points[i] = state.from[i] + (state.points[i] - state.from[i]) * t;
  return points;
}

function groups() {
  const name = form.elements.colour.value;
  const field = state.artworks?.fields[name];
  if (!field) return { codes: null, colours: [dark.matches ? "#c9bfae" : "#5b5145"] };
  const colours = field.labels.map((_, code) => field.ordered
    ? RAMP[Math.round((code / Math.max(1, field.labels.length - 1)) * (RAMP.length - 1))]
    : HUES[code % HUES.length]);
  return { codes: field.codes, colours, labels: field.labels };
}

function draw() {
  if (drawn) return;
  drawn = true;
  requestAnimationFrame((now) => {
    drawn = false;
    if (!state.points) return;
    if (state.glide < 1) state.glide = Math.min(1, (now - state.started) / GLIDE);
    paint(current());
    if (state.glide < 1) draw();
  });
}

function paint(points) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const unit = Math.min(width, height) * 0.92 * state.scale;
  const shiftX = width / 2 - state.x * unit, shiftY = height / 2 - state.y * unit;
  const count = points.length / 2;
  const { codes, colours } = groups();
  const size = Math.max(2, Math.min(9, 2.2 * Math.sqrt(state.scale) * (count < 3000 ? 2 : 1)));
  const inSight = [];
  const layers = Array.from({ length: colours.length + 1 }, () => []);
  const faint = [];
  for (let i = 0; i < count; i++) {
    const x = points[2 * i] * unit + shiftX, y = points[2 * i + 1] * unit + shiftY;
    if (x < -20 || y < -20 || x > width + 20 || y > height + 20) continue;
    inSight.push(i, x, y);
    if (state.found && !state.found.has(i)) faint.push(x, y);
    else layers[codes ? (codes[i] < 0 ? colours.length : codes[i]) : 0].push(x, y);
  }
  const dots = (places, colour, each) => {
    context.fillStyle = colour;
    for (let i = 0; i < places.length; i += 2) context.fillRect(places[i] - each / 2, places[i + 1] - each / 2, each, each);
  };
  context.globalAlpha = 0.18;
  dots(faint, dark.matches ? "#999" : "#777", size * 0.8);
  context.globalAlpha = state.found ? 1 : 0.8;
  layers.forEach((places, code) => dots(places, colours[code] ?? "#9a958c", state.found ? size * 1.5 : size));
  context.globalAlpha = 1;
  const seen = inSight.length / 3;
  state.near = inSight;
  if (seen <= CROWD && state.artworks && state.glide >= 1) thumbnails(inSight, seen, width, height, codes, colours);
  ring(state.hover, points, unit, shiftX, shiftY, dark.matches ? "#fff" : "#000");
  if (state.wanted !== null) ring(state.wanted, points, unit, shiftX, shiftY, "#d9622b", 16);
}

function ring(number, points, unit, shiftX, shiftY, colour, radius = 9) {
  if (number < 0) return;
  context.strokeStyle = colour;
  context.lineWidth = 2.5;
  context.beginPath();
  context.arc(points[2 * number] * unit + shiftX, points[2 * number + 1] * unit + shiftY, radius, 0, 7);
  context.stroke();
}

function thumbnails(inSight, seen, width, height, codes, colours) {
  const side = Math.max(30, Math.min(110, Math.sqrt((width * height) / Math.max(1, seen)) * 0.7));
  const hung = [];
  for (let i = 0; i < inSight.length && hung.length < 2 * THUMBNAILS; i += 3) {
    const number = inSight[i];
    // A picture hangs where it covers no other; the rest stay points until there is room.
    if (taken(hung, inSight[i + 1], inSight[i + 2], side * 0.9)) continue;
    hung.push(inSight[i + 1], inSight[i + 2]);
    const image = picture(number);
    if (!image.complete || !image.naturalWidth) continue;
    if (state.found && !state.found.has(number)) context.globalAlpha = 0.25;
    const fit = side / Math.max(image.naturalWidth, image.naturalHeight);
    const w = image.naturalWidth * fit, h = image.naturalHeight * fit;
    const x = inSight[i + 1] - w / 2, y = inSight[i + 2] - h / 2;
    if (codes) {
      context.fillStyle = colours[codes[number]] ?? "#9a958c";
      context.fillRect(x - 3, y - 3, w + 6, h + 6);
    }
    context.drawImage(image, x, y, w, h);
    context.globalAlpha = 1;
  }
}

function taken(hung, x, y, room) {
  for (let i = 0; i < hung.length; i += 2) if (Math.abs(hung[i] - x) < room && Math.abs(hung[i + 1] - y) < room) return true;
  return false;
}

function picture(number, size = 96) {
  const key = `${number}-${size}`;
  if (!pictures.has(key)) {
    if (pictures.size > 2000) pictures.delete(pictures.keys().next().value);
    const image = new Image();
    image.onload = draw;
    image.src = canvas.dataset.thumbnail.replace("HASH", state.artworks.hashes[number]).replace("SIZE", live ? size : 400);
    pictures.set(key, image);
  }
  return pictures.get(key);
}

function colourChoices() {
  for (const name of Object.keys(state.artworks.fields)) form.elements.colour.append(new Option(name, name));
  const asked = new URLSearchParams(location.search).get("colour");
  if (asked && state.artworks.fields[asked]) form.elements.colour.value = asked;
}

function showLegend() {
  const { colours, labels } = groups();
  legend.replaceChildren(...(labels ?? []).map((label, code) => {
    const line = document.createElement("p");
    const swatch = document.createElement("canvas");
    swatch.width = swatch.height = 12;
    const brush = swatch.getContext("2d");
    brush.fillStyle = colours[code];
    brush.fillRect(0, 0, 12, 12);
    line.append(swatch, label.length > 48 ? `${label.slice(0, 47)}…` : label);
    return line;
  }));
}

function nearest(x, y, reach = 14) {
  let best = -1, least = reach * reach;
  const near = state.near ?? [];
  for (let i = 0; i < near.length; i += 3) {
    const apart = (near[i + 1] - x) ** 2 + (near[i + 2] - y) ** 2;
    if (apart < least) [best, least] = [near[i], apart];
  }
  return best;
}

function point(event) {
  const box = canvas.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

function hover(number, x, y) {
  if (number !== state.hover) {
    state.hover = number;
    draw();
  }
  tip.hidden = number < 0 || !state.artworks;
  if (tip.hidden) return;
  if (tip.dataset.number !== String(number)) {
    tip.dataset.number = number;
    const image = new Image();
    image.alt = "";
    image.src = canvas.dataset.thumbnail.replace("HASH", state.artworks.hashes[number]).replace("SIZE", 400);
    const title = document.createElement("cite");
    title.textContent = state.artworks.titles[number];
    tip.replaceChildren(image, title, state.artworks.artists[number]);
  }
  const left = Math.min(x + 16, canvas.clientWidth - tip.offsetWidth - 4);
  const top = Math.min(y + 16, canvas.clientHeight - tip.offsetHeight - 4);
  tip.style.transform = `translate(${Math.max(4, left)}px, ${Math.max(4, top)}px)`;
}

function open(number) {
  if (number < 0 || !state.artworks) return;
  const id = state.artworks.ids[number];
  location.href = live ? address(canvas.dataset.artwork, { id }) : address(state.artworks.pages[number]);
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const side = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.92;
  const before = side * state.scale;
  state.scale = Math.max(0.5, Math.min(400, state.scale * factor));
  const after = side * state.scale;
  state.x += (x - canvas.clientWidth / 2) * (1 / before - 1 / after);
  state.y += (y - canvas.clientHeight / 2) * (1 / before - 1 / after);
  draw();
}

function pan(dx, dy) {
  const unit = Math.min(canvas.clientWidth, canvas.clientHeight) * 0.92 * state.scale;
  state.x -= dx / unit;
  state.y -= dy / unit;
  draw();
}

const held = new Map();
let moved = 0, spread = 0;
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  held.set(event.pointerId, [event.clientX, event.clientY]);
  if (held.size === 1) moved = 0;
  spread = 0;
});
canvas.addEventListener("pointermove", (event) => {
  const [x, y] = point(event);
  if (!held.has(event.pointerId)) {
    hover(nearest(x, y, 24), x, y);
    return;
  }
  const [lastX, lastY] = held.get(event.pointerId);
  held.set(event.pointerId, [event.clientX, event.clientY]);
  const [dx, dy] = [event.clientX - lastX, event.clientY - lastY];
  moved += Math.abs(dx) + Math.abs(dy);
  pan(dx / held.size, dy / held.size);
  if (held.size === 2) {
    const [[ax, ay], [bx, by]] = [...held.values()];
    const apart = Math.hypot(ax - bx, ay - by);
    const box = canvas.getBoundingClientRect();
    if (spread) zoom(apart / spread, (ax + bx) / 2 - box.left, (ay + by) / 2 - box.top);
    spread = apart;
  }
});
const release = (event) => {
  const [x, y] = point(event);
  const tapped = held.delete(event.pointerId) && moved < 6 && event.type === "pointerup";
  if (!tapped) return;
  const number = nearest(x, y, 30);
  if (event.pointerType === "touch" && number !== state.hover) hover(number, x, y); // first tap shows, second opens
  else open(number);
};
canvas.addEventListener("pointerup", release);
canvas.addEventListener("pointercancel", release);
canvas.addEventListener("pointerleave", () => hover(-1));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018)), ...point(event));
}, { passive: false });
canvas.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
  const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2];
  if (moves[event.key]) pan(...moves[event.key]);
  else if (event.key === "+" || event.key === "=") zoom(1.5);
  else if (event.key === "-") zoom(1 / 1.5);
  else if (event.key === "Enter") open(nearest(...middle, 1e4));
  else return;
  event.preventDefault();
  requestAnimationFrame(() => hover(nearest(...middle, 1e4), ...middle));
});

for (const button of form.querySelectorAll("[data-zoom]")) {
  button.addEventListener("click", () => {
    const factor = Number(button.dataset.zoom);
    if (factor) return zoom(factor);
    Object.assign(state, { scale: 1, x: 0, y: 0 });
    draw();
  });
}

function remember() {
  const url = new URL(location.href);
  for (const name of ["space", "method", "colour", "q"]) {
    const value = form.elements[name].value;
    value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
  }
  history.replaceState(null, "", url);
}

async function highlight() {
  const words = form.elements.q.value.trim();
  if (!words) state.found = null;
  else if (live) state.found = new Set((await (await read(address(canvas.dataset.found, { q: words }))).json()).found);
  else {
    const parts = words.toLowerCase().split(/\s+/);
    const { titles, artists } = state.artworks;
    state.found = new Set(titles.flatMap((title, i) => (parts.every((part) => `${title} ${artists[i]}`.toLowerCase().includes(part)) ? [i] : [])));
  }
  if (state.found) status.textContent = `${state.found.size.toLocaleString("en")} highlighted`;
  draw();
}

const failed = (error) => {
  status.textContent = `The map cannot be read: ${error.message}.`;
  status.classList.add("error");
};
const run = (task) => task().catch(failed);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  remember();
  if (event.target.name === "colour") {
    showLegend();
    draw();
  } else if (event.target.name !== "q") run(load);
});
let waiting = 0;
form.elements.q.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => { remember(); run(highlight); }, 200);
});
addEventListener("resize", draw);
dark.addEventListener("change", draw);

run(async () => {
  const labels = read(address(canvas.dataset.artworks)).then((answer) => answer.json());
  labels.catch(() => {}); // told below, once the points are drawn
  await load();
  state.artworks = await labels;
  colourChoices();
  showLegend();
  const asked = new URLSearchParams(location.search);
  const wanted = state.artworks.ids.indexOf(asked.get("id"));
  if (wanted >= 0) Object.assign(state, { wanted, x: state.points[2 * wanted], y: state.points[2 * wanted + 1], scale: 4 });
  if (asked.get("q")) {
    form.elements.q.value = asked.get("q");
    await highlight();
  }
  canvas.dataset.ready = "1";
  draw();
});
