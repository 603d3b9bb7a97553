// A picture in all its pixels: its preview at once, then the tiles that are in sight, drawn on a canvas.

import { read } from "./requests.js";

/** @typedef {{ width: number, height: number }} Size */
/**
 * @typedef {{ width: number, height: number, tile: number, factors: number[], address: string,
 *   host?: string | null }} Info
 */
/**
 * Where a picture lies on a canvas of `wide` × `high` CSS pixels: its corner, and CSS pixels per pixel of the
 * picture. `ratio` is the device's pixels per CSS pixel.
 * @typedef {{ left: number, top: number, scale: number, wide: number, high: number, ratio: number }} Place
 */

const KEPT = 240;

export class TiledPicture {
  /**
   * The size of the whole picture: known from the preview's shape until the tiles are described.
   * @type {Size | null}
   */
  size = null;
  /** @type {Info | null} */
  info = null;
  #preview = new Image();
  /** @type {Map<string, HTMLImageElement>} */
  #tiles = new Map(); // address → Image
  #address;
  #changed;
  #lost;

  /**
   * `changed` is called when there is more to draw, `lost` with the address of a tile that did not come.
   * @param {{ preview: string, tiles: string }} addresses
   * @param {() => void} changed
   * @param {(address: string) => void} lost
   */
  constructor({ preview, tiles }, changed, lost) {
    this.#address = tiles;
    this.#changed = changed;
    this.#lost = lost;
    this.#preview.onload = () => {
      this.size ??= { width: this.#preview.naturalWidth, height: this.#preview.naturalHeight };
      changed();
    };
    this.#preview.src = preview;
  }

  /**
   * Reads the description of the tiles. Throws an Error whose message is a clause.
   * @returns {Promise<Info>}
   */
  async describe() {
    const info = /** @type {Info} */ (await read(this.#address, "json"));
    this.info = info;
    this.size = { width: info.width, height: info.height };
    return info;
  }

  // Forgets the tiles that failed, so that they are requested again.
  forgetLost() {
    for (const [address, image] of this.#tiles) if (!image.naturalWidth) this.#tiles.delete(address);
  }

  /**
   * Draws the picture at a place. Returns how many tiles were drawn.
   * @param {CanvasRenderingContext2D} context
   * @param {Place} place
   */
  draw(context, place) {
    const { size } = this;
    if (!size) return 0;
    const { left, top, scale, ratio } = place;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, place.wide, place.high);
    if (this.#preview.naturalWidth)
      context.drawImage(this.#preview, left, top, size.width * scale, size.height * scale);
    const tiles = this.#inSight(size, place);
    for (const tile of tiles)
      context.drawImage(
        tile.image,
        left + tile.left * scale,
        top + tile.top * scale,
        tile.width * scale,
        tile.height * scale,
      );
    return tiles.length;
  }

  /**
   * The tiles to draw that have come; those that have not are asked for.
   * @param {Size} size
   * @param {Place} place
   */
  #inSight(size, { left, top, scale, wide, high, ratio }) {
    const { info } = this;
    // No tiles are needed if the preview is sharp enough.
    if (!info || this.#preview.naturalWidth >= size.width * scale * ratio * 0.9) return [];
    const factor = info.factors.filter((one) => one * scale * ratio <= 1.5).pop() ?? info.factors[0];
    const side = info.tile * factor;
    /**
     * @param {number} start
     * @param {number} length
     * @param {number} whole
     */
    const range = (start, length, whole) => [
      Math.max(0, Math.floor(-start / scale / side)),
      Math.min(Math.ceil(whole / side), Math.ceil((length - start) / scale / side)),
    ];
    const [firstColumn, lastColumn] = range(left, wide, size.width);
    const [firstRow, lastRow] = range(top, high, size.height);
    const found = [];
    for (let row = firstRow; row < lastRow; row++)
      for (let column = firstColumn; column < lastColumn; column++) {
        const [left, top] = [column * side, row * side];
        const part = { left, top, width: Math.min(side, size.width - left), height: Math.min(side, size.height - top) };
        const image = this.#tile(size, info, factor, column, row, part);
        if (image.complete && image.naturalWidth) found.push({ ...part, image });
      }
    return found;
  }

  /**
   * @param {Size} size
   * @param {Info} info
   * @param {number} factor
   * @param {number} column
   * @param {number} row
   * @param {{ left: number, top: number, width: number, height: number }} part
   */
  #tile(size, info, factor, column, row, { left, top, width, height }) {
    const all = width === size.width && height === size.height;
    /** @type {Record<string, string | number>} */
    const values = {
      factor,
      column,
      row,
      region: all ? "full" : `${left},${top},${width},${height}`,
      out: Math.ceil(width / factor),
      high: Math.ceil(height / factor),
    };
    const address = info.address.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
    let image = this.#tiles.get(address);
    if (!image) {
      if (this.#tiles.size >= KEPT) this.#tiles.delete(this.#tiles.keys().next().value ?? "");
      image = new Image();
      image.onload = this.#changed;
      image.onerror = () => this.#lost(address);
      image.src = address;
    } else this.#tiles.delete(address);
    this.#tiles.set(address, image); // the latest last
    return image;
  }
}

/**
 * A picture's size in words.
 * @param {Info} info
 */
export function pixelsOf(info) {
  const from = info.host ? `, from ${new URL(info.host).host}` : "";
  const [width, height] = [info.width, info.height].map((side) => side.toLocaleString("en"));
  return `${width} × ${height} pixels${from}`;
}
