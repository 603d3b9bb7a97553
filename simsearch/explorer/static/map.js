// The map's page: parts that know one thing each, and here what happens when.

import { valueInAddress } from "./here.js";
import { boxCorners, numbersWithin, settled } from "./map-area.js";
import { asked, remember, valuesOf } from "./map-address.js";
import { WHOLE } from "./map-camera.js";
import { colourOf, legendOf, pointColours } from "./map-colours.js";
import { artworks, counted, element, shortened } from "./map-elements.js";
import { Facets } from "./map-facets.js";
import { Filter } from "./map-filter.js";
import { showNotes } from "./map-notes.js";
import { decodeSet, encodeSet } from "./map-sets.js";
import { Source } from "./map-source.js";
import { Stage } from "./map-stage.js";
import { Timeline } from "./map-timeline.js";
import { Wall } from "./map-wall.js";
import { spanWords } from "./map-years.js";
import { clauseOf, sayFailed, Turns } from "./requests.js";

/** @import { Area } from './map-area.js' */
/** @import { Data, Facet } from './map-source.js' */

const canvas = /** @type {HTMLCanvasElement} */ (document.getElementById("map"));
const form = /** @type {HTMLFormElement} */ (document.getElementById("mapbar"));
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
/**
 * @typedef {{ space: HTMLSelectElement, method: HTMLSelectElement, colour: HTMLSelectElement,
 *   q: HTMLInputElement }} Fields
 */
const fields = /** @type {Fields} */ (/** @type {unknown} */ (form.elements));
const dark = matchMedia("(prefers-color-scheme: dark)");
const REST = 250; // milliseconds after a movement before the wall follows
const SHORT = 60; // letters of a chip

const source = new Source(canvas.dataset);
const start = asked();
/**
 * What is chosen and shown; `data`, `filter` and `facets` are there once the map has opened.
 * @typedef {{ opened: boolean, words: string, area: Area | null, set: { text: string, name: string } | null,
 *   data: Data, filter: Filter, facets: Facets, timeline: Timeline | null, unread: typeof start.unread }} State
 */
const state = /** @type {State} */ (
  /** @type {unknown} */ ({
    opened: false,
    words: "",
    area: null,
    set: null,
    data: null,
    filter: null,
    facets: null,
    timeline: null,
    unread: start.unread,
  })
);
/**
 * @typedef {'map' | 'words' | 'area'} Kind
 * @type {Record<Kind, Turns>}
 */
const turns = { map: new Turns(), words: new Turns(), area: new Turns() };
const stage = new Stage({
  canvas,
  points: /** @type {HTMLCanvasElement} */ (byId("points")),
  tip: byId("tip"),
  source,
  moved: () => follow(),
  drawn: (area) => choose(area),
  say,
  trouble,
});
const wall = new Wall(byId("wall"), byId("more"), byId("walltrouble"), source);

/** @param {string} words */
function say(words) {
  status.textContent = words;
}

/**
 * Each kind of question has a line of its own for its failure.
 * @type {Map<string, HTMLElement>}
 */
const troubles = new Map();
/**
 * @param {string} kind
 * @param {string} words
 * @param {() => unknown} again
 */
function trouble(kind, words, again) {
  if (!troubles.has(kind)) troubles.set(kind, byId("trouble").appendChild(element("p", {})));
  sayFailed(/** @type {HTMLElement} */ (troubles.get(kind)), words, again);
}

/** @param {string} kind */
const well = (kind) => troubles.get(kind)?.replaceChildren();

const map = () => ({ space: fields.space.value, method: fields.method.value });
// The map that the stage shows. Another one may be chosen already and still be on its way.
let shownMap = map();
/** @param {Facet} facet */
const chosenOf = (facet) => state.facets.chosen.get(facet.key) ?? new Set();
const colouring = () => state.data?.facets.find((facet) => facet.key === fields.colour.value) ?? null;

/** @type {Record<Kind, string>} */
const FAILED = {
  map: "The map cannot be shown",
  words: "The search cannot be answered",
  area: "The area cannot be read",
};

/**
 * Runs a task that begins a turn of its kind and asks. One that fails may be run again, and says nothing
 * where a newer one has begun.
 * @param {Kind} kind
 * @param {() => Promise<unknown>} task
 * @returns {Promise<void>}
 */
async function run(kind, task) {
  const doing = task();
  const current = turns[kind].newest();
  try {
    await doing;
    if (current()) well(kind);
  } catch (error) {
    if (current()) trouble(kind, `${FAILED[kind]}: ${clauseOf(error)}.`, () => run(kind, task));
  }
}

// The map that was chosen, unless another one was chosen meanwhile.
async function showMap() {
  const current = turns.map.begin();
  const { space, method } = map();
  const places = await source.places(space, method);
  if (!current()) return;
  shownMap = { space, method };
  stage.show(places);
  outline();
  if (state.opened) update();
  const regions = await source.regions(space, method);
  return current() ? { regions, current } : null;
}

async function changedMap() {
  const shown = await showMap();
  if (shown) stage.name(shown.regions, state.data.facets);
}

// Everything that depends on which artworks are shown.
function update() {
  const { filter, facets, timeline } = state;
  stage.filter(filter);
  facets.update(
    (facet) => filter.counts(facet),
    (facet, code) => (facet === colouring() ? colourOf(facet, code, dark.matches) : null),
  );
  if (timeline) timeline.update(filter.yearCounts(timeline.bars, timeline.place));
  byId("count").textContent = filter.active
    ? `${counted(filter.shown)} of ${artworks(state.data.count)}`
    : artworks(state.data.count);
  say("");
  chips();
  notes();
  keepable();
  wall.begin();
  follow();
}

let waiting = 0;
function follow() {
  if (!state.opened) return;
  remember(remembered);
  clearTimeout(waiting);
  waiting = setTimeout(hang, REST);
}

async function hang() {
  await wall.show((most) => stage.nearest(state.filter.numbers(), most));
  list();
}

/** @returns {import('./map-address.js').Chosen} */
function remembered() {
  const { camera } = stage;
  return {
    ...map(),
    colour: fields.colour.value,
    words: state.words,
    years: state.timeline?.range ?? null,
    // An address that names an artwork would go there where it says no place.
    at: camera.isAt(...stage.home) && !canvas.dataset.wanted ? null : [camera.x, camera.y, camera.scale],
    area: state.area,
    set: state.set,
    facets: state.facets?.labels() ?? new Map(),
    unread: state.unread,
  };
}

// The parts of the address that cannot be shown, until something else is chosen in their place.
function notes() {
  const values = valuesOf(remembered());
  state.unread = state.unread.filter(([name]) => name === "space" || name === "method" || !values[name]);
  showNotes(byId("notes"), state.unread, (taken) => {
    state.unread = state.unread.filter((entry) => entry !== taken);
    update();
  });
}

// What is filtered by, each with a way out.
function chips() {
  /** @type {HTMLElement[]} */
  const made = [];
  /**
   * @param {string} words
   * @param {() => void} undo
   */
  const chip = (words, undo) => {
    const shown = shortened(words, SHORT);
    made.push(
      element(
        "button",
        {
          type: "button",
          className: "chip",
          onclick: undo,
          ariaLabel: `${shown}: take this filter away`,
          "data-words": shown,
        },
        shown,
        element("span", { "aria-hidden": "true" }, "×"),
      ),
    );
  };
  if (state.words)
    chip(`“${state.words}”`, () => {
      fields.q.value = "";
      search();
    });
  if (state.area) chip("drawn on the map", () => choose(null));
  if (state.set)
    chip(`Set: ${state.set.name}`, () => {
      bySet(null);
      update();
    });
  if (state.timeline?.range)
    chip(spanWords(state.timeline.range), () => {
      state.timeline?.choose(null);
      byYears();
    });
  for (const facet of state.facets.facets) {
    for (const code of chosenOf(facet)) {
      const label = facet.labels[code - 1];
      chip(facet.key.startsWith("found:") ? `${facet.title}: ${label}` : label, () => {
        chosenOf(facet).delete(code);
        byFacet(facet);
      });
    }
  }
  if (made.length > 1)
    made.push(element("button", { type: "button", className: "chip all", onclick: clear }, "Show all again"));
  byId("chips").replaceChildren(...made);
}

// The shown artworks can become a set if there is a server and an address can hold them.
function keepable() {
  const button = /** @type {HTMLButtonElement | null} */ (document.getElementById("makeset")),
    most = Number(canvas.dataset.mostInSet);
  if (!button) return;
  button.hidden = !state.filter.active || !state.filter.shown;
  button.disabled = state.filter.shown > most;
  button.title = button.disabled ? `A set holds up to ${counted(most)} artworks: choose fewer` : "";
}

byId("makeset")?.addEventListener("click", () => {
  const url = new URL(canvas.dataset.set ?? "", location.href);
  url.searchParams.set("ids", encodeSet(state.filter.numbers()));
  /** @type {NodeListOf<HTMLElement>} */
  const filters = document.querySelectorAll("#chips [data-words]");
  const name = [...filters].map((chip) => chip.dataset.words).join(", ");
  url.searchParams.set("name", [...name].slice(0, 80).join(""));
  location.href = url.href;
});

function clear() {
  turns.words.begin(); // an answer on its way comes too late
  well("words");
  fields.q.value = state.words = "";
  state.filter.byNumbers("words", null);
  for (const facet of state.facets.facets) {
    chosenOf(facet).clear();
    state.filter.byFacet(facet, new Set());
  }
  state.timeline?.choose(null);
  state.filter.byYears(null);
  bySet(null);
  choose(null);
}

/** @param {Facet} facet */
function byFacet(facet) {
  state.filter.byFacet(facet, chosenOf(facet));
  update();
}

function byYears() {
  state.filter.byYears(state.timeline?.range ?? null);
  update();
}

const search = () =>
  run("words", async () => {
    if (await byWords(fields.q.value.trim())) update();
  });

/**
 * Keeps the artworks with those words. Whether nothing newer was looked for meanwhile.
 * @param {string} words
 */
async function byWords(words) {
  const current = turns.words.begin();
  const found = words ? await source.found(words) : null;
  if (!current()) return false;
  state.words = words;
  state.filter.byNumbers("words", found);
  return true;
}

/**
 * Keeps a set's artworks, `{text, name}`, or null: everything. Whether the text is a set of artworks here.
 * @param {{ text: string, name: string } | null} set
 */
function bySet(set) {
  const numbers = set && decodeSet(set.text, state.data.count);
  state.set = numbers ? set : null;
  state.filter.byNumbers("set", numbers);
  return !set || Boolean(numbers);
}

/**
 * Keeps what lies in an area of the map that is shown, or null: everything. What is drawn before the map has
 * opened counts from then on.
 * @param {{ corners: number[] } | null} drawn
 */
function choose(drawn) {
  const area = drawn && settled({ ...shownMap, ...drawn });
  if (state.opened) return selectArea(area);
  early = area;
}

/** @type {Area | null} */
let early = null; // the area that was drawn before the map has opened

/** @param {Area | null} area */
const selectArea = (area) =>
  run("area", async () => {
    if (!(await byArea(area))) return;
    update();
    if (area) say(`${artworks(state.filter.shown)} selected.`);
  });

/** @param {Area | null} area */
async function byArea(area) {
  const current = turns.area.begin();
  const numbers = area ? numbersWithin(await source.places(area.space, area.method), area.corners) : null;
  if (!current()) return false;
  state.area = area;
  outline();
  state.filter.byNumbers("area", numbers);
  return true;
}

function outline() {
  const { area } = state;
  stage.outline(area && area.space === shownMap.space && area.method === shownMap.method ? area.corners : null);
}

// The regions in sight as buttons: what the names on the map say, without seeing it.
function list() {
  const regions = stage.regions();
  byId("regions").hidden = !regions.length;
  byId("regionlist").replaceChildren(
    ...regions.map((region) => {
      const names = region.names.map((name) => name.label).join(", ");
      const card = source.card(region.central);
      const image = card ? [element("img", { src: card.small, alt: "", loading: "lazy" })] : [];
      return element(
        "li",
        {},
        element(
          "button",
          { type: "button", onclick: () => stage.camera.go(...region.at, Math.min(120, stage.camera.scale * 2.5)) },
          ...image,
          element("span", {}, names),
        ),
      );
    }),
  );
}

function recolour() {
  const facet = colouring();
  stage.colour(
    pointColours(state.data, facet, dark.matches),
    facet ? (number) => colourOf(facet, facet.codes[number], dark.matches) : null,
  );
  byId("legend").replaceChildren(
    ...legendOf(facet, dark.matches).map(([label, colour]) => {
      const swatch = element("i", { "aria-hidden": "true" });
      swatch.style.setProperty("--colour", colour);
      return element("p", {}, swatch, shortened(label, 44));
    }),
  );
}

form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => {
  const changed = /** @type {HTMLInputElement} */ (event.target).name;
  if (changed === "q") return;
  state.unread = state.unread.filter(([name]) => name !== changed);
  if (changed === "space") offerMethods();
  if (!state.opened) return; // what is chosen meanwhile is shown once the map has opened
  if (changed === "colour") {
    recolour();
    update();
  } else run("map", changedMap);
});
let typing = 0;
fields.q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => state.opened && search(), 200);
});
/** @type {NodeListOf<HTMLElement>} */
const modes = document.querySelectorAll("[data-mode]");
for (const button of modes) {
  button.addEventListener("click", () => {
    for (const other of modes) other.setAttribute("aria-pressed", String(other === button));
    stage.hands.mode = canvas.dataset.mode = button.dataset.mode ?? "move";
  });
}
/** @type {NodeListOf<HTMLElement>} */
const zooms = document.querySelectorAll("[data-zoom]");
for (const button of zooms) {
  const factor = Number(button.dataset.zoom);
  button.addEventListener("click", () => (factor ? stage.camera.zoom(factor) : stage.camera.go(...WHOLE)));
}
byId("insight").addEventListener("click", () => choose({ corners: boxCorners(stage.camera.sight()) }));
dark.addEventListener("change", () => {
  if (state.opened) {
    recolour();
    update();
  }
});

/**
 * The layouts that the network's map was made with.
 * @param {string} wanted
 */
function offerMethods(wanted = fields.method.value) {
  const methods = (fields.space.selectedOptions[0].dataset.methods ?? "").split(" ");
  fields.method.replaceChildren(...methods.map((method) => new Option(method.toUpperCase(), method)));
  fields.method.value = methods.includes(wanted) ? wanted : methods[0];
}

// The map that the address names: a static copy's page is the same for all of them.
function openMap() {
  /** @param {'space' | 'method'} name */
  const wanted = (name) => {
    const value = start[name];
    const known = [...fields[name].options].some((option) => option.value === value);
    if (value && !known) state.unread.push([name, value]);
    if (value && known) fields[name].value = value;
  };
  wanted("space");
  offerMethods(start.method ?? undefined);
  wanted("method");
}

async function openFilters() {
  const data = await source.facets();
  state.filter = new Filter(data);
  fields.colour.replaceChildren(
    new Option("nothing", ""),
    ...data.facets.map((facet) => new Option(facet.title, facet.key)),
  );
  const known = data.facets.some((facet) => facet.key === start.colour);
  fields.colour.value = known ? start.colour : "";
  if (start.colour && !known) state.unread.push(["colour", start.colour]);
  byId("facets").replaceChildren();
  state.facets = new Facets(byId("facets"), data.facets, byFacet);
  state.data = data;
  state.timeline ??= Timeline.of(byId("timeline"), data, byYears);
  for (const [key, labels] of start.facets) {
    const { facet, unread } = state.facets.choose(key, labels);
    if (facet) state.filter.byFacet(facet, chosenOf(facet));
    for (const label of unread) state.unread.push([`is.${key}`, label]);
  }
  if (start.years && !state.timeline) state.unread.push(["years", start.years.join("..")]);
  if (start.years && state.timeline) {
    state.timeline.choose(start.years);
    state.filter.byYears(start.years);
  }
  if (start.set && !bySet({ text: start.set, name: start.setName || "from its address" }))
    state.unread.push(["set", start.set]);
}

// An area of a map that there is no more selects nothing here.
async function openArea() {
  const { area } = start;
  if (!area) return;
  const option = [...fields.space.options].find((each) => each.value === area.space);
  if (option?.dataset.methods?.split(" ").includes(area.method)) await byArea(area);
  else state.unread.push(["area", valueInAddress("area") ?? ""]);
}

const open = () =>
  run("map", async () => {
    state.unread = [...start.unread];
    openMap();
    const opening = map();
    const naming = showMap();
    naming.catch(() => {}); // told below
    await openFilters();
    await openArea();
    const named = await naming;
    if (start.words)
      await run("words", async () => {
        if ((await byWords(start.words)) && state.opened) update();
      });
    state.words = start.words;
    state.opened = true;
    if (start.at) stage.camera.stand(...start.at);
    if (canvas.dataset.wanted) stage.want(Number(canvas.dataset.wanted), Boolean(start.at));
    recolour();
    update();
    const { space, method } = map();
    if (space !== opening.space || method !== opening.method) await run("map", changedMap);
    else if (named?.current()) stage.name(named.regions, state.data.facets, Boolean(start.at));
    if (fields.q.value.trim() !== start.words) search(); // typed meanwhile
    if (early) selectArea(early);
    await hang();
    canvas.dataset.ready = "1";
  });
fields.q.value = start.words;
open();
