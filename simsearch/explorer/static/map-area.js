// A part of the map that someone drew: corners in the coordinates of one map, and who lies within.

const CORNERS = 60; // of a lasso: as many as an address holds
const STEPS = 10_000; // places along a side in the address

// `corners`: x, y, x, y … from 0 to 1.
export function numbersWithin(places, corners) {
  const found = [];
  const [xs, ys] = [corners.filter((_, i) => i % 2 === 0), corners.filter((_, i) => i % 2)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  for (let number = 0; number < places.length / 2; number++) {
    const x = places[2 * number] / 65535, y = places[2 * number + 1] / 65535;
    if (x < left || x > right || y < top || y > bottom) continue;
    let inside = false;
    for (let i = 0, j = xs.length - 1; i < xs.length; j = i++) {
      if (ys[i] > y !== ys[j] > y && x < ((xs[j] - xs[i]) * (y - ys[i])) / (ys[j] - ys[i]) + xs[i]) inside = !inside;
    }
    if (inside) found.push(number);
  }
  return found;
}

export const boxCorners = ([left, top, right, bottom]) => [left, top, right, top, right, bottom, left, bottom];

// As an address carries it: where it was drawn, then the corners.
export function areaText({ space, method, corners }) {
  const every = Math.ceil(corners.length / 2 / CORNERS);
  const kept = corners.filter((_, i) => Math.floor(i / 2) % every === 0);
  return [space, method, kept.map((value) => Math.round(value * STEPS)).join("_")].join("~");
}

// Null for a text that is no area.
export function areaOf(text) {
  const [space, method, list] = (text ?? "").split("~");
  const corners = (list ?? "").split("_").map((value) => Number(value) / STEPS);
  const whole = corners.length >= 6 && corners.length <= 2 * CORNERS && corners.length % 2 === 0;
  return whole && corners.every((value) => Number.isFinite(value) && Math.abs(value) <= 3) ? { space, method, corners } : null;
}
