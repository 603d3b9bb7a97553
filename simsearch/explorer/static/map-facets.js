// The facets beside the map: values to tick, each with how many artworks it would leave.

import { counted, element } from "./map-elements.js";
import { matches, searchTerms, searchText } from "./words.js";

/** @import { Facet } from './map-source.js' */

const SHOWN = 7,
  FOUND = 30,
  MANY = 12;
const OPEN = 3; // facets that stand open at first, where there is room for them

export class Facets {
  /** @type {Map<string, Set<number>>} */
  chosen = new Map(); // facet's key → Set of codes
  /**
   * @typedef {{ facet: Facet, part: HTMLDetailsElement, list: HTMLElement, more: HTMLElement,
   *   search: HTMLInputElement | null }} Part
   * @type {Map<string, Part>}
   */
  #parts = new Map();
  /** @type {((facet: Facet) => Uint32Array) | null} */
  counts = null;
  /** @type {(facet: Facet, code: number) => string | null} */
  colour = () => null;
  /** @type {(facet: Facet) => void} */
  #changed;

  /**
   * `changed(facet)` is called for every tick.
   * @param {HTMLElement} place
   * @param {Facet[]} facets
   * @param {(facet: Facet) => void} changed
   */
  constructor(place, facets, changed) {
    this.#changed = changed;
    this.facets = facets.filter((facet) => facet.key !== "period"); // the timeline has it
    this.facets.forEach((facet, i) =>
      place.append(this.#part(facet, i < OPEN && matchMedia("(min-width: 60rem)").matches)),
    );
  }

  /**
   * @param {Facet} facet
   * @param {boolean} open
   */
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
      const box = /** @type {HTMLInputElement} */ (event.target);
      if (box.checked) codes?.add(Number(box.value));
      else codes?.delete(Number(box.value));
      this.#changed(facet);
    });
    return part;
  }

  /**
   * Ticks the values with those labels; `facet` is null where none is known, `unread` are the unknown ones.
   * @param {string} key
   * @param {string[]} labels
   */
  choose(key, labels) {
    const facet = this.#parts.get(key)?.facet;
    const known = labels.filter((label) => facet?.labels.includes(label));
    if (facet) this.chosen.set(key, new Set(known.map((label) => facet.labels.indexOf(label) + 1)));
    return { facet: known.length ? facet : null, unread: labels.filter((label) => !known.includes(label)) };
  }

  /**
   * The ticked labels, by facet.
   * @returns {Map<string, string[]>}
   */
  labels() {
    const found = new Map();
    for (const { facet } of this.#parts.values()) {
      const labels = [...(this.chosen.get(facet.key) ?? [])].map((code) => facet.labels[code - 1]);
      if (labels.length) found.set(facet.key, labels);
    }
    return found;
  }

  /**
   * Shows `counts(facet)` beside the values. `colour(facet, code)` is a value's colour on the map, or null.
   * @param {(facet: Facet) => Uint32Array} counts
   * @param {(facet: Facet, code: number) => string | null} colour
   */
  update(counts, colour) {
    Object.assign(this, { counts, colour });
    for (const key of this.#parts.keys()) this.#fill(key);
  }

  /** @param {string} key */
  #fill(key) {
    const { facet, part, list, more, search } = /** @type {Part} */ (this.#parts.get(key));
    const ticked = this.chosen.get(key) ?? new Set();
    part.classList.toggle("ticked", ticked.size > 0);
    if (!part.open || !this.counts) return;
    const counts = this.counts(facet);
    const codes = this.#codes(facet, counts, ticked, search?.value.trim());
    const most = Math.max(1, ...codes.map((code) => counts[code]));
    const active = /** @type {HTMLInputElement | null} */ (document.activeElement);
    const focused = active?.closest?.("details") === part ? active.value : null;
    list.replaceChildren(...codes.map((code) => this.#line(facet, code, counts[code], most, ticked.has(code))));
    if (focused)
      /** @type {HTMLElement | null} */ (list.querySelector(`input[value="${CSS.escape(focused)}"]`))?.focus();
    const left = facet.labels.length - codes.length;
    more.textContent = left > 0 && !search?.value ? `and ${counted(left)} more` : "";
  }

  /**
   * The listed values: the ticked ones, then those searched for or those with the most artworks.
   * @param {Facet} facet
   * @param {Uint32Array} counts
   * @param {Set<number>} ticked
   * @param {string} [words]
   */
  #codes(facet, counts, ticked, words) {
    const all = facet.labels.map((_, i) => i + 1);
    if (facet.ordered) return all;
    const terms = words ? searchTerms(words) : null;
    const texts = words ? (facet.texts ??= facet.labels.map((label) => searchText([label]))) : [];
    const wanted = all.filter((code) => (words ? terms && matches(terms, texts[code - 1]) : counts[code]));
    wanted.sort((a, b) => counts[b] - counts[a] || a - b);
    return [...new Set([...ticked, ...wanted.slice(0, words ? FOUND : SHOWN)])];
  }

  /**
   * @param {Facet} facet
   * @param {number} code
   * @param {number} count
   * @param {number} most
   * @param {boolean} checked
   */
  #line(facet, code, count, most, checked) {
    const box = element("input", { type: "checkbox", value: code, checked });
    const bar = element("i", { "aria-hidden": "true" });
    bar.style.setProperty("--share", String(count / most));
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
