// The camera: the middle of the picture in the map's own coordinates (0 to 1), and the zoom.

/** @type {[number, number, number]} */
export const WHOLE = [0.5, 0.5, 1]; // x, y and scale
const NEAREST = 200,
  FARTHEST = 0.6;
const FLIGHT = 500; // milliseconds
const calm = matchMedia("(prefers-reduced-motion: reduce)");

export class Camera {
  x = 0.5;
  y = 0.5;
  scale = 1;
  width = 1;
  height = 1;
  /** @type {{ from: number[], to: number[], begun: number } | null} */
  #flight = null;

  /** @param {() => void} changed */
  constructor(changed) {
    this.changed = changed;
  }

  // Pixels that the map's longer side takes.
  get unit() {
    return Math.min(this.width, this.height) * 0.94 * this.scale;
  }

  /**
   * @param {number} x
   * @param {number} y
   */
  toScreen(x, y) {
    return [(x - this.x) * this.unit + this.width / 2, (y - this.y) * this.unit + this.height / 2];
  }

  /**
   * @param {number} left
   * @param {number} top
   */
  toMap(left, top) {
    return [(left - this.width / 2) / this.unit + this.x, (top - this.height / 2) / this.unit + this.y];
  }

  /**
   * The middle as an address holds it.
   * @returns {[number, number]}
   */
  get middle() {
    return [Number(this.x.toFixed(6)), Number(this.y.toFixed(6))];
  }

  // The part of the map in sight: left, top, right, bottom.
  sight(margin = 0) {
    return [...this.toMap(-margin, -margin), ...this.toMap(this.width + margin, this.height + margin)];
  }

  /**
   * @param {number} dx
   * @param {number} dy
   */
  pan(dx, dy) {
    this.#flight = null;
    this.#to(this.x - dx / this.unit, this.y - dy / this.unit, this.scale);
  }

  /**
   * @param {number} factor
   * @param {number} left
   * @param {number} top
   */
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    this.#flight = null;
    const before = this.unit;
    const scale = within(this.scale * factor, FARTHEST, NEAREST);
    const after = (before / this.scale) * scale;
    this.#to(
      this.x + (left - this.width / 2) * (1 / before - 1 / after),
      this.y + (top - this.height / 2) * (1 / before - 1 / after),
      scale,
    );
  }

  /**
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  #to(x, y, scale) {
    Object.assign(this, { x: within(x, -0.2, 1.2), y: within(y, -0.2, 1.2), scale: within(scale, FARTHEST, NEAREST) });
    this.changed();
  }

  /**
   * Moves the camera at once, as for an address.
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  stand(x, y, scale) {
    this.#flight = null;
    this.#to(x, y, scale);
  }

  /**
   * Moves the camera at once, or in a glide if the browser allows motion.
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  go(x, y, scale) {
    if (calm.matches) return this.#to(x, y, scale);
    this.#flight = {
      from: [this.x, this.y, Math.log(this.scale)],
      to: [x, y, Math.log(scale)],
      begun: performance.now(),
    };
    this.changed();
  }

  /**
   * Whether the camera is there and does not move.
   * @param {number} x
   * @param {number} y
   * @param {number} scale
   */
  isAt(x, y, scale) {
    return !this.#flight && Math.hypot(this.x - x, this.y - y) < 1e-3 && Math.abs(this.scale / scale - 1) < 1e-3;
  }

  /**
   * One frame of a flight; whether there is another.
   * @param {number} now
   */
  fly(now) {
    if (!this.#flight) return false;
    const { from, to, begun } = this.#flight;
    const t = within((now - begun) / FLIGHT, 0, 1);
    const eased = t * t * (3 - 2 * t);
    const [x, y, scale] = from.map((value, i) => value + (to[i] - value) * eased);
    Object.assign(this, { x, y, scale: Math.exp(scale) });
    if (t >= 1) this.#flight = null;
    return t < 1;
  }
}

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
export const within = (value, low, high) => Math.min(high, Math.max(low, value));
