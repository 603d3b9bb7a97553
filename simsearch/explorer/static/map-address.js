// The page's address holds all choices: whoever opens it sees the same.

import { valueInAddress } from "./here.js";
import { areaOf, areaText } from "./map-area.js";

/** @import { Area } from './map-area.js' */
/** @import { Entry } from './map-notes.js' */
/**
 * @typedef {{ space: string, method: string, colour: string, words: string, years: [number, number] | null,
 *   at: [number, number, number] | null, area: Area | null, set: { text: string, name: string } | null,
 *   facets: Map<string, string[]>, unread: Entry[] }} Chosen
 */

const LONGEST_WORDS = 200; // letters of a search, as the explorer takes them
const WAIT = 300; // milliseconds of rest before the address changes
const VALUES = ["space", "method", "colour", "q", "years", "at", "area", "set", "set_name"];

// The choices that an address holds. `unread` are its [name, value] pairs that cannot be understood.
export function asked() {
  const query = new URLSearchParams(location.search);
  /** @type {Entry[]} */
  const unread = [];
  /**
   * @template T
   * @param {string} name
   * @param {(text: string) => T | null} made
   */
  const valueOf = (name, made) => {
    const text = valueInAddress(name);
    if (!text) return null;
    const value = made(text);
    if (value === null) unread.push([name, text]);
    return value;
  };
  /** @type {Map<string, string[]>} */
  const facets = new Map();
  for (const [name, value] of query) {
    if (!name.startsWith("is.")) continue;
    const key = name.slice(3);
    facets.set(key, [...(facets.get(key) ?? []), value]);
  }
  return {
    space: valueInAddress("space"),
    method: valueInAddress("method"),
    colour: valueInAddress("colour") ?? "",
    words: valueOf("q", (text) => ([...text].length > LONGEST_WORDS ? null : text.trim())) ?? "",
    years: valueOf("years", yearsOf),
    at: valueOf("at", placeOf),
    area: valueOf("area", areaOf),
    set: valueInAddress("set"),
    setName: [...(valueInAddress("set_name") ?? "")].slice(0, 80).join(""),
    facets,
    unread,
  };
}

/**
 * @param {string} text
 * @returns {[number, number] | null}
 */
function yearsOf(text) {
  const years = /^(-?\d{1,5})\.\.(-?\d{1,5})$/.exec(text);
  if (!years) return null;
  const [first, last] = [Number(years[1]), Number(years[2])];
  return first <= last ? [first, last] : [last, first];
}

/**
 * @param {string} text
 * @returns {[number, number, number] | null}
 */
function placeOf(text) {
  const at = text.split("_").map(Number);
  return at.length === 3 && at.every(Number.isFinite) && at[2] > 0 ? [at[0], at[1], at[2]] : null;
}

let waiting = 0;
/** @type {(() => void) | null} */
let write = null;
addEventListener("pagehide", () => write?.());

/**
 * Writes `state`, as `asked` returns it, into the address. Pairs in `unread` stay there.
 * @param {() => Chosen} state
 */
export function remember(state) {
  clearTimeout(waiting);
  write = () => {
    write = null;
    history.replaceState(history.state, "", addressOf(state()));
  };
  waiting = setTimeout(() => write?.(), WAIT);
}

/**
 * The values of `state` by their names in the address.
 * @param {Chosen} state
 * @returns {Record<string, string | undefined>}
 */
export function valuesOf(state) {
  return {
    space: state.space,
    method: state.method,
    colour: state.colour,
    q: state.words,
    years: state.years?.join(".."),
    at: state.at ? `${state.at[0].toFixed(6)}_${state.at[1].toFixed(6)}_${state.at[2].toPrecision(6)}` : "",
    area: state.area ? areaText(state.area) : "",
    set: state.set?.text,
    set_name: state.set?.name,
  };
}

/** @param {Chosen} state */
function addressOf(state) {
  const url = new URL(location.href);
  for (const name of [...url.searchParams.keys()])
    if (name.startsWith("is.") || VALUES.includes(name)) url.searchParams.delete(name);
  if (document.body.dataset.snapshot) url.searchParams.set("snapshot", document.body.dataset.snapshot);
  for (const [name, value] of Object.entries(valuesOf(state))) if (value) url.searchParams.set(name, value);
  for (const [key, labels] of state.facets) for (const label of labels) url.searchParams.append(`is.${key}`, label);
  for (const [name, value] of state.unread)
    name.startsWith("is.") ? url.searchParams.append(name, value) : url.searchParams.set(name, value);
  return url;
}
