// Homographies of the plane: nine numbers, row by row, that move [x, y, 1] up to a factor.

/** @typedef {number[]} Homography */

/**
 * First `right`, then `left`.
 * @param {Homography} left
 * @param {Homography} right
 * @returns {Homography}
 */
export function after(left, right) {
  return [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => [0, 1, 2].reduce((sum, k) => sum + left[3 * row + k] * right[3 * k + column], 0)),
  );
}

/**
 * The inverse. Its numbers are not finite if there is none.
 * @param {Homography} way
 * @returns {Homography}
 */
export function inverse([a, b, c, d, e, f, g, h, i]) {
  const whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return [
    e * i - f * h,
    c * h - b * i,
    b * f - c * e,
    f * g - d * i,
    a * i - c * g,
    c * d - a * f,
    d * h - e * g,
    b * g - a * h,
    a * e - b * d,
  ].map((value) => value / whole);
}

/**
 * The image of a place, and the factor by which its coordinates were divided. A place with a negative factor
 * lies beyond the horizon of those with a positive one.
 * @param {Homography} way
 * @param {number} x
 * @param {number} y
 */
export function move([a, b, c, d, e, f, g, h, i], x, y) {
  const factor = g * x + h * y + i;
  return { x: (a * x + b * y + c) / factor, y: (d * x + e * y + f) / factor, factor };
}

/**
 * The factor by which lengths grow at a place.
 * @param {Homography} way
 * @param {number} x
 * @param {number} y
 */
export function growth(way, x, y) {
  const [a, b, c, d, e, f, g, h, i] = way;
  const whole = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g);
  return Math.sqrt(Math.abs(whole / move(way, x, y).factor ** 3));
}

/**
 * Enlarged by `scale`, or by two, then shifted.
 * @param {number | [number, number]} scale
 * @param {number} x
 * @param {number} y
 * @returns {Homography}
 */
export function placed(scale, x = 0, y = 0) {
  const [wide, high] = typeof scale === "number" ? [scale, scale] : scale;
  return [wide, 0, x, 0, high, y, 0, 0, 1];
}

/**
 * As CSS has it.
 * @param {Homography} way
 */
export const matrix3d = ([a, b, c, d, e, f, g, h, i]) =>
  `matrix3d(${[a, d, 0, g, b, e, 0, h, 0, 0, 1, 0, c, f, 0, i].join(", ")})`;
