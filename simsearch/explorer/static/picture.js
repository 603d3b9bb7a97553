// Query by picture without leaving the page: drop, paste or choose; progress while it travels; one
// column per network as each answers; then with a part of it. The browser keeps picture, part and answers
// for the way back.

import { ask, clear, showAgain, tell } from "./answers.js";
import { boxOn } from "./box.js";
import { keep, kept } from "./kept.js";

const form = /** @type {HTMLFormElement} */ (document.querySelector(".drop"));
const file = /** @type {HTMLInputElement} */ (form.querySelector("input[type=file]"));
const progress = /** @type {HTMLElement} */ (form.querySelector(".progress"));
const asked = /** @type {HTMLFormElement} */ (document.getElementById("asked"));
/**
 * @param {string} name
 * @param {HTMLFormElement} of
 */
const field = (name, of = form) => /** @type {HTMLInputElement} */ (of.elements.namedItem(name));
const YEARS = ["year_from", "year_to"];
/** @type {File | null} */
let picture = null;
/** @type {ReturnType<typeof boxOn> | null} */
let box = null;
/** @type {Record<string, string>} */
let part = {}; // of the picture, that was asked about last; empty: all of it
let finding = 0; // counts the questions: what is kept is the newest

form.addEventListener("submit", (event) => {
  event.preventDefault();
  takeChosen();
});
file.addEventListener("change", takeChosen);
for (const name of YEARS) field(name).addEventListener("change", () => picture && find(picture, part));
for (const name of ["dragover", "dragenter"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => event.relatedTarget || form.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  // Browsers do not know the type of all pictures, such as JPEG 2000.
  const dropped = [...(event.dataTransfer?.files ?? [])].find(({ type }) => !type || type.startsWith("image/"));
  dropped ? take(dropped) : tell("That is not a picture file; drop a JPEG, PNG, GIF, WebP, TIFF or BMP.", true);
});
document.addEventListener("paste", (event) => {
  const pasted = [...(event.clipboardData?.files ?? [])].find((each) => each.type.startsWith("image/"));
  if (pasted) take(pasted);
});

function takeChosen() {
  const chosen = file.files?.[0];
  if (chosen) take(chosen);
}

/** @param {File} given */
function take(given) {
  picture = given;
  preview(given);
  find(given, {});
}

const years = () => Object.fromEntries(YEARS.map((name) => [name, field(name).value.trim()]));

/**
 * Asks with a part of the picture, or with all of it, among the works of the years that the form shows.
 * @param {File} picture
 * @param {Record<string, string>} wanted
 */
function find(picture, wanted) {
  part = wanted;
  const limit = Number(form.dataset.limit);
  if (picture.size > limit) return refuse(`The picture has more than ${limit / 2 ** 20} MiB; give a smaller one.`);
  if (!YEARS.every((name) => field(name).reportValidity()))
    return refuse("Give years as numbers such as 1888, or −300 for 300 B.C.");
  const address = new URL(form.dataset.query ?? "", location.href);
  for (const [name, value] of Object.entries({ ...part, ...years() })) address.searchParams.set(name, value);
  const [number, state] = [++finding, { picture, part, years: years(), box: box?.parameters() ?? null }];
  keep({ ...state, lines: [], all: false }); // whoever leaves before the answer comes back to the question
  ask(address, form, {
    method: "POST",
    body: picture,
    type: picture.type || "application/octet-stream",
    about: about(),
    moved,
    came: (lines, all) => {
      if (number === finding) keep({ ...state, lines, all });
    },
  });
}

/**
 * Asks nothing, and takes back what was asked before.
 * @param {string} words
 */
function refuse(words) {
  finding++;
  clear();
  moved(null, null);
  tell(words, true);
  keep(null);
}

function about() {
  const { year_from: from, year_to: to } = years();
  const span =
    from || to ? `, among works ${[from && `from ${from}`, to && `to ${to}`].filter(Boolean).join(" ")}` : "";
  return `${"left" in part ? " for this part of the picture" : " for the whole picture"}${span}`;
}

/**
 * @param {number | null} share
 * @param {string | null} words
 */
function moved(share, words) {
  progress.hidden = !words;
  const bar = /** @type {HTMLProgressElement} */ (progress.querySelector("progress"));
  share === null ? bar.removeAttribute("value") : (bar.value = share);
  const said = /** @type {HTMLElement} */ (progress.querySelector("span"));
  said.textContent = share === null ? `${words} …` : `${words}, ${Math.round(share * 100)} %`;
}

/** @param {File} picture */
function preview(picture) {
  const image = /** @type {HTMLImageElement} */ (asked.querySelector("img"));
  const address = URL.createObjectURL(picture);
  image.src = address;
  image.onload = () => {
    URL.revokeObjectURL(address);
    asked.hidden = false;
    box ??= boxOn(asked);
  };
  image.onerror = () => {
    URL.revokeObjectURL(address);
    asked.hidden = true; // a kind that this browser does not show; the explorer may know it
  };
}

asked.addEventListener("submit", (event) => {
  event.preventDefault();
  if (picture && box) find(picture, box.parameters());
});

// Back on this page, or after a reload.
const before = await kept();
if (before && !picture) {
  const given = /** @type {File} */ (before.picture);
  picture = given;
  for (const name of YEARS) field(name).value = before.years[name];
  for (const [name, value] of Object.entries(before.box ?? {})) field(name, asked).value = value;
  preview(given);
  part = before.part;
  if (before.all) showAgain(before.lines, form, about());
  else find(given, part);
}
form.dataset.ready = "1";
