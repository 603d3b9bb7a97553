// @ts-nocheck
// The facets beside the map: values to tick, each with how many artworks it would leave.

import { counted, element } from "./map-elements.js";
import { matches, searchTerms, searchText } from "./words.js";

const SHOWN = 7,
  FOUND = 30,
  MANY = 12;
const OPEN = 3; // facets that stand open at first, where there is room for them

export class Facets {
  chosen = new Map(); // facet's key → Set of codes
  #parts = new Map();
  #changed;

  // `changed(facet)` is told of every tick.
  constructor(place, facets, changed) {
    this.#changed = changed;
    this.facets = facets.filter((facet) => facet.key !== "period"); // the timeline has it
    this.facets.forEach((facet, i) =>
      place.append(this.#part(facet, i < OPEN && matchMedia("(min-width: 60rem)").matches)),
    );
  }

  #part(facet, open) {
    const list = element("ul", {});
    const more = element("p", { className: "more soft" });
    const search =
      facet.labels.length > MANY
        ? element("input", {
            type: "search",
            placeholder: `Find among ${counted(facet.labels.length)}`,
            maxLength: 100,
            "aria-label": `Find a value of ${facet.title}`,
          })
        : null;
    const part = element(
      "details",
      { className: "facet", open },
      element("summary", {}, facet.title),
      ...(search ? [search] : []),
      list,
      more,
    );
    this.#parts.set(facet.key, { facet, part, list, more, search });
    this.chosen.set(facet.key, new Set());
    search?.addEventListener("input", () => this.#fill(facet.key));
    part.addEventListener("toggle", () => this.#fill(facet.key));
    list.addEventListener("change", (event) => {
      const codes = this.chosen.get(facet.key);
      const code = Number(event.target.value);
      if (event.target.checked) codes.add(code);
      else codes.delete(code);
      this.#changed(facet);
    });
    return part;
  }

  // Ticks the values with those labels; `facet` is null where none is known, `unread` are the unknown ones.
  choose(key, labels) {
    const facet = this.#parts.get(key)?.facet;
    const known = labels.filter((label) => facet?.labels.includes(label));
    if (facet) this.chosen.set(key, new Set(known.map((label) => facet.labels.indexOf(label) + 1)));
    return { facet: known.length ? facet : null, unread: labels.filter((label) => !known.includes(label)) };
  }

  // Labels ticked, by facet.
  labels() {
    const found = new Map();
    for (const { facet } of this.#parts.values()) {
      const labels = [...this.chosen.get(facet.key)].map((code) => facet.labels[code - 1]);
      if (labels.length) found.set(facet.key, labels);
    }
    return found;
  }

  // Shows `counts(facet)` beside the values; `colour(facet, code)` is a value's on the map or null.
  update(counts, colour) {
    Object.assign(this, { counts, colour });
    for (const key of this.#parts.keys()) this.#fill(key);
  }

  #fill(key) {
    const { facet, part, list, more, search } = this.#parts.get(key);
    const ticked = this.chosen.get(key);
    part.classList.toggle("ticked", ticked.size > 0);
    if (!part.open || !this.counts) return;
    const counts = this.counts(facet);
    const codes = this.#codes(facet, counts, ticked, search?.value.trim());
    const most = Math.max(1, ...codes.map((code) => counts[code]));
    const focused = document.activeElement?.closest?.("details") === part ? document.activeElement.value : null;
    list.replaceChildren(...codes.map((code) => this.#line(facet, code, counts[code], most, ticked.has(code))));
    if (focused) list.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
    const left = facet.labels.length - codes.length;
    more.textContent = left > 0 && !search?.value ? `and ${counted(left)} more` : "";
  }

  // Which values are listed: those ticked, then those that were looked for or leave most.
  #codes(facet, counts, ticked, words) {
    const all = facet.labels.map((_, i) => i + 1);
    if (facet.ordered) return all;
    const terms = words ? searchTerms(words) : null;
    if (words) facet.texts ??= facet.labels.map((label) => searchText([label]));
    const wanted = all.filter((code) => (words ? terms && matches(terms, facet.texts[code - 1]) : counts[code]));
    wanted.sort((a, b) => counts[b] - counts[a] || a - b);
    return [...new Set([...ticked, ...wanted.slice(0, words ? FOUND : SHOWN)])];
  }

  #line(facet, code, count, most, checked) {
    const box = element("input", { type: "checkbox", value: code, checked });
    const bar = element("i", { "aria-hidden": "true" });
    bar.style.setProperty("--share", count / most);
    const colour = this.colour(facet, code);
    const name = element("span", { className: "name" }, facet.labels[code - 1]);
    if (colour) {
      name.classList.add("coloured");
      name.style.setProperty("--colour", colour);
    }
    return element(
      "li",
      {},
      element(
        "label",
        { className: count ? "" : "empty" },
        box,
        name,
        element("span", { className: "n" }, counted(count)),
        bar,
      ),
    );
  }
}
