// The map's page: parts that know one thing each, and here what happens when.

import { boxCorners, numbersWithin } from "./map-area.js";
import { asked, remember } from "./map-address.js";
import { WHOLE } from "./map-camera.js";
import { colourOf, legendOf, pointColours } from "./map-colours.js";
import { artworks, counted, element } from "./map-elements.js";
import { Facets } from "./map-facets.js";
import { Filter } from "./map-filter.js";
import { decodeSet, encodeSet } from "./map-sets.js";
import { Source } from "./map-source.js";
import { Stage } from "./map-stage.js";
import { Timeline } from "./map-timeline.js";
import { Wall } from "./map-wall.js";

const canvas = document.getElementById("map");
const form = document.getElementById("mapbar");
const status = document.getElementById("status");
const byId = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const REST = 250; // milliseconds after a movement before the wall follows

const source = new Source(canvas.dataset);
const start = asked();
const state = { area: start.area, set: null, data: null, filter: null, facets: null, timeline: null };
const stage = new Stage({ canvas, points: byId("points"), tip: byId("tip"), source, moved: () => follow(), drawn: (area) => choose(area), say });
const wall = new Wall(byId("wall"), byId("more"), source);

function say(words) {
  status.textContent = words;
}

const failed = (error) => {
  say(`The map cannot be read: ${error.message}.`);
  status.classList.add("error");
};
const run = (task) => task().catch(failed);
const map = () => ({ space: form.elements.space.value, method: form.elements.method.value });
const colouring = () => state.data?.facets.find((facet) => facet.key === form.elements.colour.value) ?? null;

async function showMap() {
  const { space, method } = map();
  await stage.show(await source.places(space, method));
  if (state.data) run(async () => stage.name(await source.regions(space, method), state.data.facets));
}

// Everything that depends on which artworks are shown.
function update() {
  const { filter, facets, timeline } = state;
  stage.filter(filter);
  facets.update((facet) => filter.counts(facet), (facet, code) => (facet === colouring() ? colourOf(facet, code, dark.matches) : null));
  if (timeline) timeline.update(filter.yearCounts(timeline.bars, timeline.place));
  byId("count").textContent = filter.active ? `${counted(filter.shown)} of ${artworks(state.data.count)}` : artworks(state.data.count);
  chips();
  keepable();
  wall.begin();
  follow();
}

let waiting = 0;
function follow() {
  remember(remembered);
  clearTimeout(waiting);
  waiting = setTimeout(() => run(hang), REST);
}

async function hang() {
  if (!state.filter) return;
  await wall.show((most) => stage.nearest(state.filter.numbers(), most));
  list();
}

function remembered() {
  const { camera } = stage;
  return {
    ...map(), colour: form.elements.colour.value, words: form.elements.q.value.trim(), years: state.timeline?.range ?? null,
    at: camera.isAt(...stage.home) ? null : [camera.x, camera.y, camera.scale], area: state.area, set: state.set, facets: state.facets?.labels() ?? new Map(),
  };
}

// What is filtered by, each with a way out.
function chips() {
  const made = [];
  const chip = (words, undo) => made.push(element("button", { type: "button", className: "chip", onclick: undo, ariaLabel: `${words}: take this filter away`, "data-words": words }, words, element("span", { "aria-hidden": "true" }, "×")));
  const words = form.elements.q.value.trim();
  if (words) chip(`“${words}”`, () => { form.elements.q.value = ""; run(search); });
  if (state.area) chip("drawn on the map", () => choose(null));
  if (state.set) chip(`Set: ${state.set.name}`, () => { bySet(null); update(); });
  if (state.timeline?.range) chip(state.timeline.range.join("–"), () => { state.timeline.choose(null); byYears(); });
  for (const facet of state.facets.facets) {
    for (const code of state.facets.chosen.get(facet.key)) {
      const label = facet.labels[code - 1];
      chip(facet.key.startsWith("found:") ? `${facet.title}: ${label}` : label, () => { state.facets.chosen.get(facet.key).delete(code); byFacet(facet); });
    }
  }
  if (made.length > 1) made.push(element("button", { type: "button", className: "chip all", onclick: clear }, "Show all again"));
  byId("chips").replaceChildren(...made);
}

// What is shown can become a set, where a server answers and an address can hold it.
function keepable() {
  const button = byId("makeset"), most = Number(canvas.dataset.mostInSet);
  if (!button) return;
  button.hidden = !state.filter.active || !state.filter.shown;
  button.disabled = state.filter.shown > most;
  button.title = button.disabled ? `A set holds up to ${counted(most)} artworks: choose fewer` : "";
}

byId("makeset")?.addEventListener("click", () => {
  const url = new URL(canvas.dataset.set, location.href);
  url.searchParams.set("ids", encodeSet(state.filter.numbers()));
  const name = [...document.querySelectorAll("#chips [data-words]")].map((chip) => chip.dataset.words).join(", ");
  url.searchParams.set("name", name.slice(0, 80));
  location.href = url;
});

function clear() {
  form.elements.q.value = "";
  state.filter.byNumbers("words", null);
  for (const facet of state.facets.facets) {
    state.facets.chosen.get(facet.key).clear();
    state.filter.byFacet(facet, new Set());
  }
  state.timeline?.choose(null);
  state.filter.byYears(null);
  bySet(null);
  choose(null);
}

function byFacet(facet) {
  state.filter.byFacet(facet, state.facets.chosen.get(facet.key));
  update();
}

function byYears() {
  state.filter.byYears(state.timeline.range);
  update();
}

async function search() {
  const words = form.elements.q.value.trim();
  state.filter.byNumbers("words", words ? await source.found(words) : null);
  update();
}

// Keeps a set's artworks, `{text, name}`; null, or a text that is no set: everything.
function bySet(set) {
  const numbers = set && decodeSet(set.text, state.data.count);
  state.set = numbers ? set : null;
  state.filter.byNumbers("set", numbers);
}

// Keeps what lies in an area of the map, `{space, method, corners}`; null: everything.
function choose(area) {
  state.area = area && area.corners ? { ...map(), ...area } : null;
  run(async () => {
    await byArea();
    update();
    say(state.area ? `${artworks(state.filter.shown)} selected.` : "");
  });
}

async function byArea() {
  const { area } = state;
  const same = area && area.space === map().space && area.method === map().method;
  stage.outline(same ? area.corners : null);
  state.filter.byNumbers("area", area ? numbersWithin(await source.places(area.space, area.method), area.corners) : null);
}

// The regions in sight as buttons: what the names on the map say, without seeing it.
function list() {
  const regions = stage.regions();
  byId("regions").hidden = !regions.length;
  byId("regionlist").replaceChildren(...regions.map((region) => {
    const names = region.names.map((name) => name.label).join(", ");
    const image = source.card(region.central) ? [element("img", { src: source.card(region.central).small, alt: "", loading: "lazy" })] : [];
    return element("li", {}, element("button", { type: "button", onclick: () => stage.camera.go(...region.at, Math.min(120, stage.camera.scale * 2.5)) }, ...image, element("span", {}, names)));
  }));
}

function recolour() {
  const facet = colouring();
  stage.colour(pointColours(state.data, facet, dark.matches), facet ? (number) => colourOf(facet, facet.codes[number], dark.matches) : null);
  byId("legend").replaceChildren(...legendOf(facet, dark.matches).map(([label, colour]) => {
    const swatch = element("i", { "aria-hidden": "true" });
    swatch.style.setProperty("--colour", colour);
    return element("p", {}, swatch, label.length > 44 ? `${label.slice(0, 43)}…` : label);
  }));
}

async function changedMap() {
  await showMap();
  await byArea();
  update();
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  if (event.target.name === "q" || !state.data) return;
  if (event.target.name === "colour") { recolour(); update(); } else run(changedMap);
});
let typing = 0;
form.elements.q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => state.data && run(search), 200);
});
for (const button of document.querySelectorAll("[data-mode]")) {
  button.addEventListener("click", () => {
    for (const other of document.querySelectorAll("[data-mode]")) other.setAttribute("aria-pressed", String(other === button));
    stage.hands.mode = canvas.dataset.mode = button.dataset.mode;
  });
}
for (const button of document.querySelectorAll("[data-zoom]")) {
  const factor = Number(button.dataset.zoom);
  button.addEventListener("click", () => (factor ? stage.camera.zoom(factor) : stage.camera.go(...WHOLE)));
}
byId("insight").addEventListener("click", () => choose({ corners: boxCorners(stage.camera.sight()) }));
dark.addEventListener("change", () => { if (state.data) { recolour(); update(); } });

run(async () => {
  const data = source.facets();
  data.catch(() => {}); // told below, once the points are there
  await showMap();
  state.data = await data;
  state.filter = new Filter(state.data);
  for (const facet of state.data.facets) form.elements.colour.append(new Option(facet.title, facet.key));
  form.elements.colour.value = state.data.facets.some((facet) => facet.key === start.colour) ? start.colour : "";
  state.facets = new Facets(byId("facets"), state.data.facets, byFacet);
  state.timeline = Timeline.of(byId("timeline"), state.data, byYears);
  for (const [key, labels] of start.facets) {
    const facet = state.facets.choose(key, labels);
    if (facet) state.filter.byFacet(facet, state.facets.chosen.get(key));
  }
  if (start.years && state.timeline) {
    state.timeline.choose(start.years);
    state.filter.byYears(start.years);
  }
  if (start.words) {
    form.elements.q.value = start.words;
    state.filter.byNumbers("words", await source.found(start.words));
  }
  if (start.set) bySet({ text: start.set, name: start.setName || "from its address" });
  await byArea();
  if (start.at) stage.camera.go(...start.at);
  if (canvas.dataset.wanted) stage.want(Number(canvas.dataset.wanted));
  recolour();
  update();
  const { space, method } = map();
  stage.name(await source.regions(space, method), state.data.facets);
  await hang();
  canvas.dataset.ready = "1";
});
