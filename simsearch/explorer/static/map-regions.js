// The names of the map's regions: which are in sight at this nearness, and where each is written.

import { shortened } from "./map-elements.js";

/** @import { Camera } from './map-camera.js' */
/** @import { Facet } from './map-source.js' */

const LEVELS = [2, 6];
const MARGIN = 8; // pixels between two names
const PICTURE = 52; // pixels of a region's picture
const LETTERS = 34; // of a name

/**
 * @typedef {{ level: number, x: number, y: number, count: number, central: number,
 *   names: { key: string, title: string, label: string }[] }} Region
 * @typedef {Region & { at: [number, number], lines: string[], box: number[], picture: number }} Shown
 */
export class Regions {
  /** @type {Map<number, Region[]>} */
  #levels = new Map();
  #scale;

  /**
   * Rows as map_data.region_rows writes them, and the scale at which the coarsest are in sight.
   * @param {number[][]} rows
   * @param {Facet[]} facets
   * @param {number} scale
   */
  constructor(rows, facets, scale) {
    this.#scale = scale;
    for (const [level, x, y, count, central, ...names] of rows) {
      const words = [];
      for (let i = 0; i < names.length; i += 2)
        words.push({
          key: facets[names[i]].key,
          title: facets[names[i]].title,
          label: facets[names[i]].labels[names[i + 1] - 1],
        });
      if (!this.#levels.has(level)) this.#levels.set(level, []);
      this.#levels.get(level)?.push({ level, x: x / 65535, y: y / 65535, count, central, names: words });
    }
  }

  /**
   * Those to write, best first, none over another: each with its box on the screen.
   * @param {Camera} camera
   * @param {(text: string) => number} measure
   * @param {boolean} withPictures
   */
  inSight(camera, measure, withPictures) {
    const level = Math.min(
      LEVELS[1],
      Math.max(LEVELS[0], LEVELS[0] + Math.round(Math.log2(camera.scale / this.#scale))),
    );
    /** @type {Shown[]} */
    const placed = [];
    const written = new Set();
    for (const region of this.#levels.get(level) ?? []) {
      const [x, y] = camera.toScreen(region.x, region.y);
      if (x < 20 || y < 20 || x > camera.width - 20 || y > camera.height - 10) continue;
      const lines = region.names.map((name) => shortened(name.label, LETTERS));
      if (
        written.has(lines[0]) &&
        placed.some((other) => other.lines[0] === lines[0] && Math.hypot(other.x - x, other.y - y) < 260)
      )
        continue;
      const width = Math.max(...lines.map(measure)),
        picture = withPictures ? PICTURE : 0;
      const box = [
        x - Math.max(width, picture) / 2 - MARGIN,
        y - picture - MARGIN,
        x + Math.max(width, picture) / 2 + MARGIN,
        y + 17 * lines.length + MARGIN,
      ];
      if (placed.some((other) => overlap(box, other.box))) continue;
      written.add(lines[0]);
      placed.push({ ...region, x, y, at: [region.x, region.y], lines, box, picture });
    }
    return placed;
  }
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
export const overlap = (a, b) => a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
