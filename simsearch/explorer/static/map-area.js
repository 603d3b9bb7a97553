// An area drawn on the map: its corners in the coordinates of one map, and the artworks inside.

/** @typedef {{ space: string, method: string, corners: number[] }} Area */

const CORNERS = 60; // of a lasso: as many as an address holds
const STEPS = 10_000; // places along a side in the address, each with two decimals
const FARTHEST = 3; // sides of the map that a corner may lie beside it

/**
 * `corners`: x, y, x, y … from 0 to 1.
 * @param {ArrayLike<number>} places
 * @param {number[]} corners
 */
export function numbersWithin(places, corners) {
  const found = [];
  const [xs, ys] = [corners.filter((_, i) => i % 2 === 0), corners.filter((_, i) => i % 2)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let number = 0; number < places.length / 2; number++) {
    const x = places[2 * number] / 65535,
      y = places[2 * number + 1] / 65535;
    if (x < left || x > right || y < top || y > bottom) continue;
    let inside = false;
    for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
      if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
    }
    if (inside) found.push(number);
  }
  return found;
}

/** @param {number[]} box */
export const boxCorners = ([left, top, right, bottom]) => [left, top, right, top, right, bottom, left, bottom];

/**
 * The area as it is read back from its address. It makes the selection, so that the address makes the same one.
 * @param {Area} area
 */
export const settled = (area) => areaOf(areaText(area));

/**
 * The area as text for an address: its map, then its corners.
 * @param {Area} area
 */
export function areaText({ space, method, corners }) {
  const near = corners.map((value) => Math.min(FARTHEST, Math.max(-FARTHEST, value)));
  return [
    space,
    method,
    thinned(near)
      .map((value) => Math.round(value * STEPS * 100) / 100)
      .join("_"),
  ].join("~");
}

/**
 * Null for a text that is no area.
 * @param {string | null} text
 * @returns {Area | null}
 */
export function areaOf(text) {
  const [space, method, list] = (text ?? "").split("~");
  const corners = (list ?? "").split("_").map((value) => Number(value) / STEPS);
  const whole = corners.length >= 6 && corners.length <= 2 * CORNERS && corners.length % 2 === 0;
  return whole && corners.every((value) => Number.isFinite(value) && Math.abs(value) <= FARTHEST)
    ? { space, method, corners }
    : null;
}

/**
 * The CORNERS corners that keep the shape best: again and again the one that spans the smallest triangle
 * with its neighbours goes (Visvalingam & Whyatt 1993).
 * @param {number[]} corners
 */
function thinned(corners) {
  /** @type {number[][]} */
  const points = [];
  for (let i = 0; i < corners.length; i += 2) points.push([corners[i], corners[i + 1]]);
  const triangle = (/** @type {number} */ i) => {
    const [a, b, c] = [points.at(i - 1) ?? [0, 0], points[i], points[(i + 1) % points.length]];
    return Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]));
  };
  const sizes = points.map((_, i) => triangle(i));
  while (points.length > CORNERS) {
    let least = 0;
    for (let i = 1; i < sizes.length; i++) if (sizes[i] < sizes[least]) least = i;
    points.splice(least, 1);
    sizes.splice(least, 1);
    for (const i of [(least + points.length - 1) % points.length, least % points.length]) sizes[i] = triangle(i);
  }
  return points.flat();
}
