// What a search looks for, and in which form: the rule of data/words.py, word for word.

const WORDS_READ = 12; // of a search
const LONGEST_READ = 20_000; // characters of a field
/** @type {Record<string, string>} */
const LETTERS = { ß: "ss", ς: "σ", æ: "ae", œ: "oe", ø: "o", đ: "d", ð: "d", ħ: "h", ı: "i", ł: "l", ŧ: "t", þ: "th" };
const FOLDED = /['’‘‛ʼʹʻ′`´＇]|["“”„‟«»″＂]|[ßςæœøđðħıłŧþ]/gu;
const QUOTE = /["“”„‟«»″＂]/u;
const OTHER = /[^\p{L}\p{N}'"]/gu;
const BETWEEN_LETTERS = /(?<=[^\s'])'(?=[^\s'])/gu;

/** @param {string} text */
const folds = (text) => text.replace(FOLDED, (letter) => LETTERS[letter] ?? (QUOTE.test(letter) ? '"' : "'"));
/** @param {string} text */
const plain = (text) => folds(folds(text).normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase()).replace(OTHER, " ");
/** @param {string} text */
const spaced = (text) => text.split(/\s+/u).filter(Boolean).join(" ");
/** @param {string} text */
const joined = (text) => text.replace(BETWEEN_LETTERS, "");

/**
 * Lower case without accents and punctuation, with one space between words.
 * @param {string} text
 */
export const folded = (text) => spaced(plain(text).replaceAll('"', " "));

/**
 * The fields of an artwork in the form that `matches` looks in.
 * @param {string[]} fields
 */
export const searchText = (fields) => fields.map(fieldText).join("\n");

/** @param {string} text */
function fieldText(text) {
  const words = folded([...text.slice(0, 2 * LONGEST_READ)].slice(0, LONGEST_READ).join(""));
  const close = joined(words);
  return close === words ? ` ${words} ` : ` ${words} \n ${close} `;
}

/**
 * What a query asks for; null for a query without any letter or digit.
 * @param {string} query
 */
export function searchTerms(query) {
  const terms = [];
  for (const [whole, quoted, end] of plain(query).matchAll(/"([^"]*)("|$)|[^"\s]+/gu)) {
    const phrase = quoted !== undefined;
    const words = phrase ? spaced(joined(quoted)) : joined(whole).replace(/^'+(.*?)'*$/u, "$1");
    if (!words.replace(/[' ]/gu, "")) continue;
    terms.push(phrase ? ` ${words}${end ? " " : ""}` : words); // a phrase that is being typed may end within a word
  }
  return terms.length ? terms.slice(0, WORDS_READ) : null;
}

/**
 * Whether all terms are found in a `searchText`.
 * @param {string[]} terms
 * @param {string} text
 */
export const matches = (terms, text) => terms.every((term) => text.includes(term));
