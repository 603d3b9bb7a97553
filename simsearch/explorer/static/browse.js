// Search in a static copy, where no server answers: the artworks' list is read once, then filtered. The
// address holds what was looked for.

import { valueInAddress } from "./here.js";
import { counted, element } from "./map-elements.js";
import { clauseOf, read, sayFailed, Turns } from "./requests.js";
import { matches, searchTerms, searchText } from "./words.js";

const form = /** @type {HTMLElement} */ (document.getElementById("browse"));
const field = /** @type {HTMLInputElement} */ (form.querySelector("input"));
const wall = /** @type {HTMLElement} */ (document.querySelector(".wall"));
const count = /** @type {HTMLElement} */ (document.querySelector(".count"));
const first = [...wall.children];
const said = count.textContent;
const SHOWN = 96;
const turns = new Turns();
/**
 * @typedef {{ title: string, artists: string, by: string, page: string, picture: string, also: string[],
 *   inTitle: string, words: string }} Listed
 * @type {Listed[] | null}
 */
let artworks = null;

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
field.addEventListener("input", search);
field.value = valueInAddress("q") ?? "";
if (field.value) search();

async function search() {
  const current = turns.begin();
  const words = field.value.trim();
  const url = new URL(location.href);
  if (words) url.searchParams.set("q", words);
  else url.searchParams.delete("q");
  history.replaceState(history.state, "", url);
  document.querySelector(".paging")?.toggleAttribute("hidden", Boolean(words));
  if (!words) {
    wall.replaceChildren(...first);
    count.textContent = said;
    return;
  }
  try {
    artworks ??= (await read(form.dataset.artworks ?? "", "json")).map((/** @type {Listed} */ each) => {
      const title = searchText([each.title]);
      return { ...each, inTitle: title, words: [title, searchText([each.artists, ...each.also])].join("\n") };
    });
    if (current()) show(artworks ?? [], searchTerms(words));
  } catch (error) {
    if (!current()) return;
    wall.replaceChildren();
    sayFailed(count, `The search cannot be answered: ${clauseOf(error)}.`, search);
  }
}

/**
 * Those with the words in their title first, as the explorer lists them.
 * @param {Listed[]} all
 * @param {string[] | null} terms
 */
function show(all, terms) {
  const found = terms ? all.filter((each) => matches(terms, each.words)) : [];
  /** @param {Listed} each */
  const inTitle = (each) => matches(terms ?? [], each.inTitle);
  const ordered = [...found.filter(inTitle), ...found.filter((each) => !inTitle(each))];
  count.textContent =
    `${counted(found.length)} of ${counted(all.length)} artworks` +
    (found.length > SHOWN ? `, the first ${SHOWN} shown` : "");
  wall.replaceChildren(...ordered.slice(0, SHOWN).map(card));
}

/** @param {Listed} artwork */
function card(artwork) {
  const image = element("img", {
    src: artwork.picture,
    alt: `${artwork.title}, by ${artwork.artists}`,
    loading: "lazy",
  });
  return element(
    "li",
    {},
    element(
      "a",
      { className: "card", href: artwork.page },
      element("span", { className: "hang" }, image),
      element("cite", {}, artwork.title),
      element("span", { className: "by" }, artwork.by),
    ),
  );
}
