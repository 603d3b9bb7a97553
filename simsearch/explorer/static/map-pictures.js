// Pictures on the map: which of the artworks in sight have room to hang, and their images.

/** @import { Camera } from './map-camera.js' */
/** @import { Grid } from './map-grid.js' */
/** @import { Source } from './map-source.js' */

const CROWD = 1500; // artworks in sight, up to which pictures hang
const MOST = 160; // pictures at once
const KEPT = 1500; // images in memory

export class Pictures {
  /** @type {Source} */
  #source;
  /** @type {Map<string, HTMLImageElement>} */
  #images = new Map();
  /** @type {() => void} */
  #changed;
  /** @type {(error: unknown, again: () => void) => void} */
  #trouble;
  #failed = false;

  /**
   * @param {Source} source
   * @param {() => void} changed
   * @param {(error: unknown, again: () => void) => void} trouble
   */
  constructor(source, changed, trouble) {
    [this.#source, this.#changed, this.#trouble] = [source, changed, trouble];
  }

  /**
   * The image of an artwork once it is there, else null; asks for what is missing.
   * @param {number} number
   */
  image(number, large = false) {
    const card = this.#source.card(number);
    if (!card) return null;
    const address = large ? card.picture : card.small;
    let image = this.#images.get(address);
    if (!image) {
      if (this.#images.size >= KEPT) this.#images.delete(this.#images.keys().next().value ?? "");
      image = new Image();
      image.onload = this.#changed;
      image.src = address;
      this.#images.set(address, image);
    }
    return image.complete && image.naturalWidth ? image : null;
  }

  /**
   * Artworks in sight with room for a picture: number, x, y on the screen and its side; none where
   * it is crowded.
   * @param {Camera} camera
   * @param {Grid} grid
   * @param {Uint8Array} on
   */
  hung(camera, grid, on) {
    const numbers = grid.within(camera.sight(30), on, CROWD);
    if (!numbers?.length || (camera.scale < 2 && numbers.length > 300)) return [];
    const side = Math.max(34, Math.min(96, Math.sqrt((camera.width * camera.height) / numbers.length) * 0.72));
    const room = side * 0.95;
    /** @type {Map<string, [number, number][]>} */
    const taken = new Map(); // squares of the screen with what hangs there
    const hung = [];
    for (const number of numbers) {
      if (hung.length >= MOST) break;
      const [x, y] = camera.toScreen(grid.places[2 * number] / 65535, grid.places[2 * number + 1] / 65535);
      const [column, row] = [Math.floor(x / room), Math.floor(y / room)];
      let free = true;
      for (let r = row - 1; free && r <= row + 1; r++) {
        for (let c = column - 1; free && c <= column + 1; c++) {
          free = !taken.get(`${c},${r}`)?.some(([left, top]) => Math.abs(left - x) < room && Math.abs(top - y) < room);
        }
      }
      if (!free) continue;
      const key = `${column},${row}`;
      taken.set(key, [...(taken.get(key) ?? []), [x, y]]);
      hung.push({ number, x, y, side });
    }
    return hung;
  }

  /**
   * Has the cards of these, then draws again. After a failure it asks no more until `again`.
   * @param {number[]} numbers
   */
  async need(numbers) {
    if (this.#failed) return;
    try {
      if (await this.#source.know(numbers)) this.#changed();
    } catch (error) {
      if (this.#failed) return;
      this.#failed = true;
      this.#trouble(error, () => this.again());
    }
  }

  again() {
    this.#failed = false;
    this.#changed();
  }
}
