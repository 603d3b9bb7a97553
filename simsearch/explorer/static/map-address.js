// All that someone chose, in the page's address: whoever opens it sees the same.

import { areaOf, areaText } from "./map-area.js";

const WAIT = 300; // milliseconds of rest before the address changes

// What an address asks for. Values that make no sense are left out.
export function asked() {
  const query = new URLSearchParams(location.search);
  const years = /^(-?\d{1,4})\.\.(-?\d{1,4})$/.exec(query.get("years") ?? "");
  const at = (query.get("at") ?? "").split("_").map(Number);
  const facets = new Map();
  for (const [name, value] of query) {
    if (!name.startsWith("is.")) continue;
    const key = name.slice(3);
    facets.set(key, [...(facets.get(key) ?? []), value]);
  }
  return {
    colour: query.get("colour") ?? "",
    words: (query.get("q") ?? "").slice(0, 200),
    years: years ? [Number(years[1]), Number(years[2])] : null,
    at: at.length === 3 && at.every(Number.isFinite) && at[2] > 0 ? at : null,
    area: areaOf(query.get("area")),
    set: query.get("set"),
    setName: (query.get("set_name") ?? "").slice(0, 80),
    facets,
  };
}

let waiting = 0;
// `state` as `asked` gives it, with `space` and `method`.
export function remember(state) {
  clearTimeout(waiting);
  waiting = setTimeout(() => history.replaceState(null, "", addressOf(state())), WAIT);
}

function addressOf(state) {
  const url = new URL(location.href);
  for (const name of [...url.searchParams.keys()]) if (name.startsWith("is.")) url.searchParams.delete(name);
  const values = {
    space: state.space,
    method: state.method,
    colour: state.colour,
    q: state.words,
    years: state.years?.join(".."),
    at: state.at ? `${state.at[0].toFixed(4)}_${state.at[1].toFixed(4)}_${state.at[2].toPrecision(3)}` : "",
    area: state.area ? areaText(state.area) : "",
    set: state.set?.text,
    set_name: state.set?.name,
  };
  for (const [name, value] of Object.entries(values)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  for (const [key, labels] of state.facets) for (const label of labels) url.searchParams.append(`is.${key}`, label);
  return url;
}
