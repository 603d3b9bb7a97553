// Where the map's data comes from: a server's answers, or the files of a static copy.

import { read } from "./requests.js";
import { matches, searchTerms, searchText } from "./words.js";

const AT_ONCE = 100; // cards asked for in one request

/**
 * @param {string | undefined} template
 * @param {Record<string, string>} query
 */
function address(template, query = {}) {
  const url = new URL(template ?? "", location.href);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return url;
}

/**
 * @typedef {{ number: number, title: string, artists: string, by: string, href: string, picture: string, small: string,
 *   words?: string }} Card an artwork as the map shows it
 * @typedef {{ key: string, title: string, labels: string[], ordered?: boolean, codes: Uint8Array | Uint16Array,
 *   also: number, alsoNumbers: Uint32Array, alsoCodes: Uint16Array, texts?: string[] }} Facet a column of the catalog.
 *   Code 0: not known
 * @typedef {{ count: number, noYear: number, years: Int32Array, facets: Facet[] }} Data
 * @typedef {{ home: [number, number, number], regions: number[][] }} MapRegions
 */
export class Source {
  /** @type {DOMStringMap} */
  #from;
  /** @type {Map<number, Card>} */
  #cards = new Map(); // number → card
  /** @type {Map<number, Promise<void>>} */
  #coming = new Map(); // number → promise of its card
  /** @type {Map<string, Promise<any>>} */
  #kept = new Map(); // address → promise of what was read there

  /** @param {DOMStringMap} dataset */
  constructor(dataset) {
    this.#from = dataset;
    this.live = dataset.live === "1";
  }

  /**
   * x and y of every artwork, 0 to 65,535.
   * @param {string} space
   * @param {string} method
   */
  async places(space, method) {
    const url = this.live ? address(this.#from.points, { space, method }) : address(`map/${space}-${method}.bin`);
    return new Uint16Array(await this.#once(url, "arrayBuffer"));
  }

  /** @returns {Promise<Data>} */
  async facets() {
    return parseFacets(await this.#once(address(this.live ? this.#from.facets : "map/facets.bin"), "arrayBuffer"));
  }

  /**
   * @param {string} space
   * @param {string} method
   * @returns {Promise<MapRegions>}
   */
  regions(space, method) {
    return this.#once(
      this.live ? address(this.#from.regions, { space, method }) : address(`map/${space}-${method}-regions.json`),
      "json",
    );
  }

  /**
   * The artworks with those words, by number.
   * @param {string} words
   */
  async found(words) {
    if (this.live) return new Uint32Array(await read(address(this.#from.found, { q: words }), "arrayBuffer"));
    const terms = searchTerms(words);
    if (!terms) return new Uint32Array(0);
    const all = await this.#list();
    return Uint32Array.from(
      all.filter((card) => matches(terms, card.words ?? "")),
      (card) => card.number,
    );
  }

  /**
   * What is already known of an artwork: its title, artists, pictures and page; undefined: nothing yet.
   * @param {number} number
   */
  card(number) {
    return this.#cards.get(number);
  }

  /**
   * Resolves once `card` knows these; whether any of them was not known before.
   * @param {number[]} numbers
   */
  async know(numbers) {
    const missing = [...new Set(numbers)].filter((number) => !this.#cards.has(number));
    const unasked = missing.filter((number) => !this.#coming.has(number));
    for (let start = 0; start < unasked.length; start += AT_ONCE) this.#ask(unasked.slice(start, start + AT_ONCE));
    await Promise.all(missing.map((number) => this.#coming.get(number)));
    return missing.length > 0;
  }

  /** @param {number[]} numbers */
  #ask(numbers) {
    const coming = this.#read(numbers).finally(() => {
      for (const number of numbers) this.#coming.delete(number); // a failed one may be asked for again
    });
    coming.catch(() => {}); // reported to whoever waits for it
    for (const number of numbers) this.#coming.set(number, coming);
  }

  /** @param {number[]} numbers */
  async #read(numbers) {
    const cards = this.live
      ? await read(address(this.#from.cards, { numbers: numbers.join(".") }), "json")
      : await this.#list().then((all) => numbers.map((number) => all[number]));
    for (const card of cards) this.#cards.set(card.number, card);
  }

  /** @returns {Promise<Card[]>} */
  #list() {
    return this.#once(address("artworks.json"), "json", (/** @type {any[]} */ rows) =>
      rows.map((row, number) => ({
        number,
        title: row.title,
        artists: row.artists,
        by: row.by,
        href: row.page,
        picture: row.picture,
        small: row.picture,
        words: searchText([row.title, row.artists, ...row.also]),
      })),
    );
  }

  /**
   * Read once and kept, unless it fails.
   * @param {URL} url
   * @param {'json' | 'arrayBuffer'} kind
   * @param {(content: any) => any} made
   * @returns {Promise<any>}
   */
  #once(url, kind, made = (content) => content) {
    if (!this.#kept.has(url.href)) {
      const content = read(url, kind).then(made);
      content.catch(() => this.#kept.delete(url.href));
      this.#kept.set(url.href, content);
    }
    return /** @type {Promise<any>} */ (this.#kept.get(url.href));
  }
}

/**
 * The counterpart of map_data.facet_bytes.
 * @param {ArrayBuffer} buffer
 * @returns {Data}
 */
function parseFacets(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const base = 4 + length;
  return {
    count: head.artworks,
    noYear: head.noYear,
    years: new Int32Array(buffer, base + head.years, head.artworks),
    facets: head.facets.map((/** @type {any} */ facet) => ({
      ...facet,
      codes: new (facet.wide ? Uint16Array : Uint8Array)(buffer, base + facet.codes, head.artworks),
      alsoNumbers: new Uint32Array(buffer, base + facet.alsoNumbers, facet.also),
      alsoCodes: new Uint16Array(buffer, base + facet.alsoCodes, facet.also),
    })),
  };
}
