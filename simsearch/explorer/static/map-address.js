// @ts-nocheck
// All that someone chose, in the page's address: whoever opens it sees the same.

import { areaOf, areaText } from "./map-area.js";

const WAIT = 300; // milliseconds of rest before the address changes
const VALUES = ["space", "method", "colour", "q", "years", "at", "area", "set", "set_name"];

// What an address asks for, and as `unread` the [name, value] that make no sense.
export function asked() {
  const query = new URLSearchParams(location.search);
  const unread = [];
  const valueOf = (name, made) => {
    const text = query.get(name);
    if (!text) return null;
    const value = made(text);
    if (value === null) unread.push([name, text]);
    return value;
  };
  const facets = new Map();
  for (const [name, value] of query) {
    if (!name.startsWith("is.")) continue;
    const key = name.slice(3);
    facets.set(key, [...(facets.get(key) ?? []), value]);
  }
  return {
    space: query.get("space"),
    method: query.get("method"),
    colour: query.get("colour") ?? "",
    words: (query.get("q") ?? "").slice(0, 200).trim(),
    years: valueOf("years", yearsOf),
    at: valueOf("at", placeOf),
    area: valueOf("area", areaOf),
    set: query.get("set"),
    setName: (query.get("set_name") ?? "").slice(0, 80),
    facets,
    unread,
  };
}

function yearsOf(text) {
  const years = /^(-?\d{1,5})\.\.(-?\d{1,5})$/.exec(text);
  return years ? [Number(years[1]), Number(years[2])].sort((a, b) => a - b) : null;
}

function placeOf(text) {
  const at = text.split("_").map(Number);
  return at.length === 3 && at.every(Number.isFinite) && at[2] > 0 ? at : null;
}

let waiting = 0;
let write = null;
addEventListener("pagehide", () => write?.());

// `state` as `asked` gives it, with `unread` as it was read: an address keeps what it could not be given.
export function remember(state) {
  clearTimeout(waiting);
  write = () => {
    write = null;
    history.replaceState(history.state, "", addressOf(state()));
  };
  waiting = setTimeout(() => write?.(), WAIT);
}

// The values of `state` by their names in the address.
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
