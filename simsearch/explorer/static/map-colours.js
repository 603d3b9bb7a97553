// The colour of a point is that of its value in the chosen facet.

/** @import { Data, Facet } from './map-source.js' */

const HUES = [
  "#0b72c4",
  "#d9622b",
  "#2a9d62",
  "#a24fb0",
  "#8d8500",
  "#d13d5b",
  "#2c93a3",
  "#8c6239",
  "#5468d4",
  "#6b8f1a",
  "#c0539a",
];
const RAMP = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];
const OTHER = "#8f8a80";
const PLAIN = { light: "#6b5d4a", dark: "#cdbfa8" };

/**
 * The colour of a facet's value; code 0: not known.
 * @param {Facet | null} facet
 * @param {number} code
 * @param {boolean} dark
 */
export function colourOf(facet, code, dark) {
  if (!facet) return PLAIN[dark ? "dark" : "light"];
  if (!code) return OTHER;
  if (!facet.ordered) return HUES[code - 1] ?? OTHER;
  return RAMP[Math.round(((code - 1) / Math.max(1, facet.labels.length - 1)) * (RAMP.length - 1))];
}

/**
 * Red, green, blue, alpha of every artwork.
 * @param {Data} data
 * @param {Facet | null} facet
 * @param {boolean} dark
 */
export function pointColours(data, facet, dark) {
  const colours = new Uint32Array(data.count);
  const bytes = new Uint8Array(colours.buffer);
  const known = new Map();
  for (let i = 0; i < data.count; i++) {
    const code = facet ? facet.codes[i] : 0;
    if (!known.has(code)) {
      const number = parseInt(colourOf(facet, code, dark).slice(1), 16);
      bytes.set([number >> 16, (number >> 8) & 255, number & 255, 255], 4 * i);
      known.set(code, colours[i]);
    } else colours[i] = known.get(code);
  }
  return bytes;
}

/**
 * The legend's entries: the values with a colour of their own, and the others.
 * @param {Facet | null} facet
 * @param {boolean} dark
 */
export function legendOf(facet, dark) {
  if (!facet) return [];
  const own = facet.ordered ? facet.labels.length : Math.min(facet.labels.length, HUES.length);
  const lines = facet.labels.slice(0, own).map((label, i) => [label, colourOf(facet, i + 1, dark)]);
  if (own < facet.labels.length) lines.push([`${facet.labels.length - own} others`, OTHER]);
  return lines;
}
