// What a search looks for, and in which form: the rule of reading/words.py, word for word.

const LONGEST_READ = 20_000; // characters of a field
/** @type {Record<string, string>} */
const LETTERS = {
  ß: "ss",
  ς: "σ",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ħ: "h",
  ı: "i",
  ł: "l",
  ŧ: "t",
  þ: "th",
  "\u06a9": "\u0643",
  "\u06cc": "\u064a",
  "\u0649": "\u064a",
}; // Persian's and final forms of Arabic letters
const FOLDED = /['’‘‛‚ʼʹʻ′`´＇]|["“”„‟«»″＂]|[ßςæœøđðħıłŧþ\u06a9\u06cc\u0649]/gu;
const QUOTE = /["“”„‟«»″＂]/u;
// All marks but those that are letters of their scripts, and what is not seen.
const UNSEEN = /(?![\u0900-\u0dff\u0e00-\u109f\u1780-\u17ff\u3099\u309a])\p{M}|\p{Cf}|\u0640/gu;
const OTHER = /[^\p{L}\p{M}\p{N}'"]/gu;
const BETWEEN_LETTERS = /(?<=[^\s'])'(?=[^\s'])/gu;
const AROUND_WORDS = /(?<!\S)'+|'+(?!\S)/gu;
const UNSPACED = /[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\u{20000}-\u{3ffff}]/u;

/** @param {string} text */
const folds = (text) => text.replace(FOLDED, (letter) => LETTERS[letter] ?? (QUOTE.test(letter) ? '"' : "'"));
/** @param {string} text */
const plain = (text) => folds(folds(text).normalize("NFKD").toLowerCase()).replace(UNSEEN, "").replace(OTHER, " ");
/** @param {string} text */
const spaced = (text) => text.split(/\s+/u).filter(Boolean).join(" ");
/** @param {string} text */
const joined = (text) => text.replace(BETWEEN_LETTERS, "");
/** @param {string} text */
const unquoted = (text) => spaced(text.replace(AROUND_WORDS, ""));

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
  return [...new Set([words, close, unquoted(close)])].map((form) => ` ${form} `).join("\n");
}

/**
 * What a query asks for; null for a query without any letter or digit.
 * @param {string} query
 */
export function searchTerms(query) {
  const terms = [];
  let opened = false; // a single quote that the word at its end closes
  for (const [whole, quoted, end] of plain(query).matchAll(/"([^"]*)("|$)|[^"\s]+/gu)) {
    const phrase = quoted !== undefined;
    let words = joined(phrase ? quoted : whole);
    if (phrase) words = unquoted(words);
    else if (words.startsWith("'")) {
      opened = !words.endsWith("'");
      words = words.replace(/^'+|'+$/gu, "");
    } else if (opened && words.endsWith("'")) {
      opened = false;
      words = words.replace(/'+$/u, "");
    }
    if (!words.replace(/[' ]/gu, "")) continue;
    terms.push(phrase ? phraseOf(words, Boolean(end)) : words);
  }
  return terms.length ? terms : null;
}

/**
 * A phrase stands between spaces where its script has them. One that is being typed may end within a word.
 * @param {string} words
 * @param {boolean} ends
 */
function phraseOf(words, ends) {
  const letters = [...words];
  const end = ends && !UNSPACED.test(letters[letters.length - 1]) ? " " : "";
  return `${UNSPACED.test(letters[0]) ? "" : " "}${words}${end}`;
}

/**
 * Whether all terms are found in a `searchText`.
 * @param {string[]} terms
 * @param {string} text
 */
export const matches = (terms, text) => terms.every((term) => text.includes(term));
