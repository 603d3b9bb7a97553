// Which artworks lie where: points sorted into squares, so that a question looks at a few of them.

const SIDE = 256;

export class Grid {
  #starts = new Uint32Array(SIDE * SIDE + 1);
  /** @type {Uint32Array} */
  #order;

  /** @param {Uint16Array<ArrayBuffer>} places */
  constructor(places) {
    this.places = places;
    const count = places.length / 2;
    const cells = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      cells[i] = (places[2 * i + 1] >> 8) * SIDE + (places[2 * i] >> 8);
      this.#starts[cells[i] + 1]++;
    }
    for (let i = 0; i < SIDE * SIDE; i++) this.#starts[i + 1] += this.#starts[i];
    const next = this.#starts.slice();
    this.#order = new Uint32Array(count);
    for (let i = 0; i < count; i++) this.#order[next[cells[i]]++] = i;
  }

  /**
   * Numbers within left, top, right, bottom (0 to 1), in ascending order; null if more than `most`.
   * @param {number[]} sides
   * @param {Uint8Array} on
   * @param {number} most
   */
  within([left, top, right, bottom], on, most = Infinity) {
    const [l, t, r, b] = [left, top, right, bottom].map((value) => value * 65535);
    const cell = (/** @type {number} */ value) => Math.min(SIDE - 1, Math.max(0, Math.floor(value / 256)));
    /** @type {number[]} */
    const found = [];
    if (r < 0 || b < 0 || l > 65535 || t > 65535) return found;
    for (let row = cell(t); row <= cell(b); row++) {
      const [from, to] = [this.#starts[row * SIDE + cell(l)], this.#starts[row * SIDE + cell(r) + 1]];
      for (let at = from; at < to; at++) {
        const number = this.#order[at];
        const x = this.places[2 * number],
          y = this.places[2 * number + 1];
        if (!on[number] || x < l || x > r || y < t || y > b) continue;
        if (found.length >= most) return null;
        found.push(number);
      }
    }
    return found.sort((a, b) => a - b);
  }

  /**
   * The artwork nearest to (x, y) within `reach` of it; −1: none.
   * @param {number} x
   * @param {number} y
   * @param {number} reach
   * @param {Uint8Array} on
   */
  nearest(x, y, reach, on) {
    let best = -1,
      least = reach * reach;
    for (const number of this.within([x - reach, y - reach, x + reach, y + reach], on) ?? []) {
      const apart = this.apart(number, x, y);
      if (apart < least) [best, least] = [number, apart];
    }
    return best;
  }

  /**
   * The same however far it is.
   * @param {number} x
   * @param {number} y
   * @param {Uint8Array} on
   */
  nearestOfAll(x, y, on) {
    for (let reach = 0.004; reach < 3; reach *= 2) {
      const number = this.nearest(x, y, reach, on);
      if (number >= 0) return number;
    }
    return -1;
  }

  /**
   * @param {number} number
   * @param {number} x
   * @param {number} y
   */
  apart(number, x, y) {
    return (this.places[2 * number] / 65535 - x) ** 2 + (this.places[2 * number + 1] / 65535 - y) ** 2;
  }

  /**
   * Those of `numbers` nearest to (x, y), the nearest first.
   * @param {ArrayLike<number>} numbers
   * @param {number} x
   * @param {number} y
   * @param {number} most
   */
  nearestOf(numbers, x, y, most) {
    const apart = Float32Array.from(numbers, (number) => this.apart(number, x, y));
    const limit = apart.length > most ? apart.slice().sort()[most - 1] : Infinity;
    /** @type {number[]} */
    const near = [];
    for (let i = 0; i < apart.length; i++) if (apart[i] <= limit) near.push(i);
    return near
      .sort((a, b) => apart[a] - apart[b] || a - b)
      .slice(0, most)
      .map((i) => numbers[i]);
  }
}
