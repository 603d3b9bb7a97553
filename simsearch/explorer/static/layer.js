// A picture that a homography lays on a pane: its part in sight, drawn on a canvas that CSS bends.

import { after, growth, inverse, matrix3d, move, placed } from "./homography.js";

const MOST = 4096; // pixels of a canvas' side

/** @typedef {import("./homography.js").Homography} Homography */
/** @typedef {import("./tiles.js").TiledPicture} TiledPicture */

export class Layer {
  pane;
  picture;
  #canvas;
  #context;

  /**
   * @param {HTMLElement} pane
   * @param {TiledPicture} picture
   */
  constructor(pane, picture) {
    this.pane = pane;
    this.picture = picture;
    this.#canvas = /** @type {HTMLCanvasElement} */ (pane.querySelector("canvas"));
    this.#context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
  }

  /**
   * `way` leads from pixels of the whole picture to CSS pixels of the pane.
   * @param {Homography} way
   */
  lay(way) {
    const part = this.#inSight(way);
    this.#canvas.hidden = part === null;
    if (!part) return;
    const { left, top, width, height } = part;
    const [x, y] = [left + width / 2, top + height / 2];
    const ratio = devicePixelRatio || 1;
    const scale = Math.min(growth(way, x, y), MOST / ratio / Math.max(width, height));
    const [wide, high] = [Math.ceil(width * scale * ratio), Math.ceil(height * scale * ratio)];
    if (this.#canvas.width !== wide || this.#canvas.height !== high)
      Object.assign(this.#canvas, { width: wide, height: high });
    const place = { left: -left * scale, top: -top * scale, scale, wide: wide / ratio, high: high / ratio, ratio };
    this.picture.draw(this.#context, place);
    const drawn = after(way, placed(1 / scale, left, top));
    const side = Math.sign(move(way, x, y).factor); // CSS shows only what has a factor above 0
    Object.assign(this.#canvas.style, {
      width: `${place.wide}px`,
      height: `${place.high}px`,
      transform: matrix3d(drawn.map((value) => value * side)),
    });
  }

  /**
   * The part of the picture that the pane may show; null where it shows none.
   * @param {Homography} way
   */
  #inSight(way) {
    const { size } = this.picture;
    if (!size || !way.every(Number.isFinite)) return null;
    const [wide, high] = [this.pane.clientWidth, this.pane.clientHeight];
    const back = inverse(way);
    const ends = [
      [wide / 2, high / 2],
      [0, 0],
      [wide, 0],
      [wide, high],
      [0, high],
    ].map(([x, y]) => move(back, x, y));
    let [left, top, right, bottom] = [0, 0, size.width, size.height];
    if (ends.every((end) => end.factor * ends[0].factor > 0)) {
      const [xs, ys] = [ends.map((end) => end.x), ends.map((end) => end.y)];
      left = Math.max(left, Math.floor(Math.min(...xs)));
      top = Math.max(top, Math.floor(Math.min(...ys)));
      right = Math.min(right, Math.ceil(Math.max(...xs)));
      bottom = Math.min(bottom, Math.ceil(Math.max(...ys)));
    }
    return left < right && top < bottom ? { left, top, width: right - left, height: bottom - top } : null;
  }
}
