// Which artworks are shown: every filter marks the artworks that it leaves out, and an artwork is
// shown if none does. Counts beside a facet's values leave that facet's own filter aside.

/** @import { Data, Facet } from './map-source.js' */

export class Filter {
  /** @type {Data} */
  #data;
  /** @type {Map<string, Uint8Array>} */
  #out = new Map(); // name of a filter → Uint8Array, 1 where it leaves the artwork out
  #marks; // per artwork by how many filters it is left out

  /** @param {Data} data */
  constructor(data) {
    this.#data = data;
    this.on = new Uint8Array(data.count).fill(1);
    this.#marks = new Uint8Array(data.count);
    this.shown = data.count;
  }

  get active() {
    return this.#out.size > 0;
  }

  /**
   * `labels`: a Set of codes of which an artwork must have one; empty: any.
   * @param {Facet} facet
   * @param {Set<number>} labels
   */
  byFacet(facet, labels) {
    if (!labels.size) return this.#set(facet.key, null);
    const wanted = new Uint8Array(facet.labels.length + 1);
    for (const code of labels) wanted[code] = 1;
    const out = new Uint8Array(this.#data.count);
    for (let i = 0; i < out.length; i++) out[i] = 1 - wanted[facet.codes[i]];
    for (let i = 0; i < facet.also; i++) if (wanted[facet.alsoCodes[i]]) out[facet.alsoNumbers[i]] = 0;
    this.#set(facet.key, out);
  }

  /**
   * `range`: first and last year, or null.
   * @param {[number, number] | null} range
   */
  byYears(range) {
    if (!range) return this.#set("years", null);
    const { years, noYear } = this.#data;
    this.#set(
      "years",
      Uint8Array.from(years, (year) => (year === noYear || year < range[0] || year > range[1] ? 1 : 0)),
    );
  }

  /**
   * `numbers`: those to keep, or null.
   * @param {string} name
   * @param {Iterable<number> | null} numbers
   */
  byNumbers(name, numbers) {
    if (!numbers) return this.#set(name, null);
    const out = new Uint8Array(this.#data.count).fill(1);
    for (const number of numbers) out[number] = 0;
    this.#set(name, out);
  }

  /**
   * @param {string} name
   * @param {Uint8Array | null} out
   */
  #set(name, out) {
    if (out) this.#out.set(name, out);
    else this.#out.delete(name);
    this.#marks.fill(0);
    for (const each of this.#out.values()) for (let i = 0; i < each.length; i++) this.#marks[i] += each[i];
    this.shown = 0;
    for (let i = 0; i < this.on.length; i++) this.shown += this.on[i] = this.#marks[i] ? 0 : 1;
  }

  /**
   * How many artworks each value of the facet would leave; [0] are those not known.
   * @param {Facet} facet
   */
  counts(facet) {
    const counts = new Uint32Array(facet.labels.length + 1);
    const own = this.#out.get(facet.key);
    const open = (/** @type {number} */ i) => this.#marks[i] === (own ? own[i] : 0);
    for (let i = 0; i < this.on.length; i++) if (open(i)) counts[facet.codes[i]]++;
    for (let i = 0; i < facet.also; i++) if (open(facet.alsoNumbers[i])) counts[facet.alsoCodes[i]]++;
    return counts;
  }

  /**
   * How many artworks of each bin of years would be left: `place(year)` is a year's bin.
   * @param {number} bins
   * @param {(year: number) => number} place
   */
  yearCounts(bins, place) {
    const { years, noYear } = this.#data;
    const [all, open] = [new Uint32Array(bins), new Uint32Array(bins)];
    const own = this.#out.get("years");
    for (let i = 0; i < years.length; i++) {
      if (years[i] === noYear) continue;
      const bin = place(years[i]);
      if (bin < 0 || bin >= bins) continue; // far from all others
      all[bin]++;
      if (this.#marks[i] === (own ? own[i] : 0)) open[bin]++;
    }
    return { all, open };
  }

  // The numbers of the artworks shown.
  numbers() {
    const found = new Uint32Array(this.shown);
    for (let i = 0, at = 0; i < this.on.length; i++) if (this.on[i]) found[at++] = i;
    return found;
  }
}
