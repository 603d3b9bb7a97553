// What lies over the points: pictures, names of regions, rings and the area drawn.

/** @import { Camera } from './map-camera.js' */
/** @import { Shown } from './map-regions.js' */
/** @typedef {{ page: string, halo: string, ink: string, soft: string, link: string, area: string }} Colours */

const NAME = "600 14px",
  SECOND = "13px";

export class Overlay {
  /** @type {HTMLCanvasElement} */
  #canvas;
  /** @type {CanvasRenderingContext2D} */
  #context;
  colours = /** @type {Colours} */ ({});
  #font = "system-ui, sans-serif";

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  }

  /**
   * @param {Camera} camera
   * @param {number} ratio
   * @param {Colours} colours
   */
  begin(camera, ratio, colours) {
    const [width, height] = [Math.round(camera.width * ratio), Math.round(camera.height * ratio)];
    if (this.#canvas.width !== width || this.#canvas.height !== height)
      [this.#canvas.width, this.#canvas.height] = [width, height];
    this.#context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.#context.clearRect(0, 0, camera.width, camera.height);
    this.colours = colours;
  }

  /** @param {string} text */
  width = (text) => {
    this.#context.font = `${NAME} ${this.#font}`;
    return this.#context.measureText(text).width;
  };

  /**
   * An image with its longer side `side` pixels, framed in `frame` if given.
   * @param {HTMLImageElement} image
   * @param {number} x
   * @param {number} y
   * @param {number} side
   * @param {string | null} [frame]
   */
  picture(image, x, y, side, frame) {
    const fit = side / Math.max(image.naturalWidth, image.naturalHeight);
    const [w, h] = [image.naturalWidth * fit, image.naturalHeight * fit];
    const context = this.#context;
    context.save();
    context.shadowColor = "rgb(0 0 0 / .35)";
    context.shadowBlur = 5;
    context.shadowOffsetY = 1;
    context.fillStyle = frame ?? this.colours.page;
    context.fillRect(x - w / 2 - 2, y - h / 2 - 2, w + 4, h + 4);
    context.restore();
    context.drawImage(image, x - w / 2, y - h / 2, w, h);
  }

  /**
   * A region's name under its middle, its picture above.
   * @param {Shown} region
   * @param {HTMLImageElement | null} image
   */
  region(region, image) {
    if (image) this.picture(image, region.x, region.y - region.picture / 2 - 2, region.picture);
    const context = this.#context;
    context.textAlign = "center";
    context.textBaseline = "top";
    context.lineJoin = "round";
    region.lines.forEach((line, i) => {
      context.font = `${i ? SECOND : NAME} ${this.#font}`;
      context.lineWidth = 4;
      context.strokeStyle = this.colours.halo;
      context.strokeText(line, region.x, region.y + 4 + 17 * i);
      context.fillStyle = i ? this.colours.soft : this.colours.ink;
      context.fillText(line, region.x, region.y + 4 + 17 * i);
    });
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} radius
   * @param {string} colour
   */
  ring(x, y, radius, colour = this.colours.ink) {
    const context = this.#context;
    /** @type {[number, string][]} */
    const rings = [
      [5, this.colours.page],
      [2.5, colour],
    ];
    for (const [width, stroke] of rings) {
      context.lineWidth = width;
      context.strokeStyle = stroke;
      context.beginPath();
      context.arc(x, y, radius, 0, 7);
      context.stroke();
    }
  }

  /**
   * `corners` on the screen: x, y, x, y …
   * @param {number[]} corners
   * @param {boolean} open
   */
  area(corners, open = false) {
    const context = this.#context;
    context.beginPath();
    for (let i = 0; i < corners.length; i += 2) context[i ? "lineTo" : "moveTo"](corners[i], corners[i + 1]);
    if (!open) context.closePath();
    context.fillStyle = this.colours.area;
    context.fill();
    context.setLineDash([6, 4]);
    context.lineWidth = 2;
    context.strokeStyle = this.colours.link;
    context.stroke();
    context.setLineDash([]);
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  cross(x, y) {
    const context = this.#context;
    context.strokeStyle = this.colours.soft;
    context.lineWidth = 1.5;
    context.beginPath();
    for (const [dx, dy] of [
      [6, 0],
      [0, 6],
    ]) {
      context.moveTo(x - dx, y - dy);
      context.lineTo(x + dx, y + dy);
    }
    context.stroke();
  }
}
