// Where the map's data comes from: a server's answers, or the files of a static copy.

const AT_ONCE = 100; // cards asked for in one request

async function read(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`the explorer answered ${answer.status}`);
  return answer;
}

function address(template, query = {}) {
  const url = new URL(template, location.href);
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value);
  return url;
}

export class Source {
  #from;
  #cards = new Map(); // number → card
  #asked = new Set();
  #places = new Map();
  #listed = null;

  constructor(dataset) {
    this.#from = dataset;
    this.live = dataset.live === "1";
  }

  // x and y of every artwork, 0 to 65,535.
  places(space, method) {
    const name = `${space}-${method}`;
    if (!this.#places.has(name)) {
      const url = this.live ? address(this.#from.points, { space, method }) : address(`map/${name}.bin`);
      this.#places.set(name, read(url).then(async (answer) => new Uint16Array(await answer.arrayBuffer())));
    }
    return this.#places.get(name);
  }

  async facets() {
    return parseFacets(await (await read(address(this.live ? this.#from.facets : "map/facets.bin"))).arrayBuffer());
  }

  async regions(space, method) {
    const url = this.live ? address(this.#from.regions, { space, method }) : address(`map/${space}-${method}-regions.json`);
    return (await read(url)).json();
  }

  // The artworks with those words, by number.
  async found(words) {
    if (this.live) return new Uint32Array(await (await read(address(this.#from.found, { q: words }))).arrayBuffer());
    const parts = fold(words).split(/\s+/).filter(Boolean);
    const all = await this.#list();
    return Uint32Array.from(all.filter((card) => parts.every((part) => card.words.includes(part))), (card) => card.number);
  }

  // What is already known of an artwork: its title, artists, pictures and page; undefined: nothing yet.
  card(number) {
    return this.#cards.get(number);
  }

  // Resolves when what was asked for these before has come.
  async arrived(numbers) {
    while (numbers.some((number) => this.#asked.has(number) && !this.#cards.has(number))) await new Promise((done) => setTimeout(done, 50));
  }

  // Makes sure that `card` knows these, and resolves when it does.
  async know(numbers) {
    const missing = [...new Set(numbers)].filter((number) => !this.#asked.has(number));
    if (!missing.length) return false;
    for (const number of missing) this.#asked.add(number);
    if (!this.live) {
      const all = await this.#list();
      for (const number of missing) this.#cards.set(number, all[number]);
      return true;
    }
    for (let start = 0; start < missing.length; start += AT_ONCE) {
      const some = missing.slice(start, start + AT_ONCE);
      try {
        for (const card of await (await read(address(this.#from.cards, { numbers: some.join(".") }))).json()) this.#cards.set(card.number, card);
      } catch (error) {
        for (const number of some) this.#asked.delete(number); // may be asked for again
        throw error;
      }
    }
    return true;
  }

  async #list() {
    this.#listed ??= read(address("artworks.json")).then(async (answer) =>
      (await answer.json()).map((row, number) => ({
        number, title: row.title, artists: row.artists, by: row.by, href: row.page, picture: row.picture, small: row.picture,
        words: fold(`${row.title} ${row.artists}`),
      })));
    return this.#listed;
  }
}

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

// The counterpart of map_data.facet_bytes.
function parseFacets(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const base = 4 + length;
  return {
    count: head.artworks,
    noYear: head.noYear,
    years: new Int32Array(buffer, base + head.years, head.artworks),
    facets: head.facets.map((facet) => ({
      ...facet,
      codes: new (facet.wide ? Uint16Array : Uint8Array)(buffer, base + facet.codes, head.artworks),
      alsoNumbers: new Uint32Array(buffer, base + facet.alsoNumbers, facet.also),
      alsoCodes: new Uint16Array(buffer, base + facet.alsoCodes, facet.also),
    })),
  };
}
