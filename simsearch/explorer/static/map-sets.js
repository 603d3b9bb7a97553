// A set as text for an address, as sets.py writes and reads it: steps between numbers, base64url.

/** @param {Iterable<number>} numbers */
export function encodeSet(numbers) {
  const bytes = [];
  let before = -1;
  for (const number of numbers) {
    // ascending
    let step = number - before - 1;
    before = number;
    for (; step > 127; step >>= 7) bytes.push((step & 127) | 128);
    bytes.push(step);
  }
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

/**
 * Null for a text that is no set of numbers below `count`.
 * @param {string} text
 * @param {number} count
 */
export function decodeSet(text, count) {
  if (!/^[A-Za-z0-9_-]{1,12000}$/.test(text)) return null;
  const numbers = [];
  let number = -1,
    step = 0,
    shift = 0;
  let data;
  try {
    data = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  } catch {
    return null;
  }
  for (const letter of data) {
    const byte = letter.charCodeAt(0);
    step += (byte & 127) * 2 ** shift; // << would turn negative
    shift += 7;
    if (byte & 128) {
      if (shift > 28) return null;
      continue;
    }
    number += step + 1;
    if (number >= count) return null;
    numbers.push(number);
    step = shift = 0;
  }
  return shift ? null : numbers;
}
