// The same points on a plain canvas, for browsers without WebGL: pixel by pixel into one picture.

/** @import { Camera } from './map-camera.js' */
/** @typedef {{ glide: number, size: number, ratio: number, some: boolean, dark: boolean }} Look */

export class PlainPoints {
  places = new Uint16Array();
  before = new Uint16Array();
  colours = new Uint8Array();
  on = new Uint8Array();
  #canvas;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
  }

  get count() {
    return this.places.length / 2;
  }

  /**
   * @param {Camera} camera
   * @param {Look} look
   */
  draw(camera, { glide, size, some, dark }) {
    const width = Math.round(camera.width),
      height = Math.round(camera.height);
    if (this.#canvas.width !== width || this.#canvas.height !== height)
      [this.#canvas.width, this.#canvas.height] = [width, height];
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext("2d"));
    const image = context.createImageData(width, height);
    const pixels = new Uint32Array(image.data.buffer);
    const colours = new Uint32Array(this.colours.buffer);
    const faint = dark ? 0x30999999 : 0x30777777;
    const side = Math.max(1, Math.round(size));
    for (const drawn of some ? [0, 1] : [1]) {
      for (let i = 0; i < this.count; i++) {
        if (this.on[i] !== drawn) continue;
        const x = this.before[2 * i] + (this.places[2 * i] - this.before[2 * i]) * glide;
        const y = this.before[2 * i + 1] + (this.places[2 * i + 1] - this.before[2 * i + 1]) * glide;
        const [left, top] = camera.toScreen(x / 65535, y / 65535).map((value) => Math.round(value - side / 2));
        if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
        for (let row = top; row < top + side; row++)
          pixels.fill(drawn ? colours[i] : faint, row * width + left, row * width + left + side);
      }
    }
    context.putImageData(image, 0, 0);
  }
}
