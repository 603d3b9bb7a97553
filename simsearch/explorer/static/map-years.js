// Years in words and out of them: −300 is 300 B.C.

/** @param {number} year */
export const yearWords = (year) => (year < 0 ? `${-year} B.C.` : String(year || 1)); // there is no year 0

/** @param {[number, number]} span */
export const spanWords = ([from, to]) =>
  from < 0 || to < 0 ? `${yearWords(from)} to ${yearWords(to)}` : `${yearWords(from)}–${yearWords(to)}`;

/**
 * Null for a text that is no year.
 * @param {string} text
 */
export function yearOf(text) {
  const match = /^([-−])?(\d{1,5})(\s*(?:b\.?\s*c\.?(?:\s*e\.?)?))?$/i.exec(text.trim());
  if (!match || (match[1] && match[3]) || !Number(match[2])) return null;
  return match[1] || match[3] ? -Number(match[2]) : Number(match[2]);
}
