// Questions by picture: asked, followed while they travel, answered in one column per network.

import { element, shortened } from "./map-elements.js";
import { sayFailed, Turns } from "./requests.js";

/**
 * @typedef {{ artwork_id: string, title: string | null, artists: string[], date: string | null,
 *   thumbnail: string }} Artwork
 * @typedef {Artwork & { rank: number, score: number }} Match
 * @typedef {{ space: string, trained: boolean, error: string | null, matches: Match[], set: string }} Answer
 * @typedef {{ artwork: Artwork, words: string, evidence: string }} Sighting
 * @typedef {{ same_pictures: Sighting[], error: string | null }} Same
 * @typedef {Answer | Same} Line
 * @typedef {{ method?: string, body?: XMLHttpRequestBodyInit | null, type?: string | null, about?: string,
 *   moved?: (share: number | null, words: string | null) => void,
 *   came?: (lines: Line[], all: boolean) => void }} Asking
 */

const answers = /** @type {HTMLElement} */ (document.getElementById("answers"));
const same = document.getElementById("same"); // absent where only a part of an artwork is asked about
const status = /** @type {HTMLElement} */ (document.getElementById("status"));
const LONGEST = 600_000; // milliseconds: the first question loads every network
const turns = new Turns();
/** @type {XMLHttpRequest | null} */
let running = null;

/**
 * `moved(share, words)` gets the share of the picture that has been sent (null: not known) and words for it
 * (null: done). `came` gets all answers whenever one arrives. `about` is announced when all have arrived.
 * @param {string | URL} address
 * @param {HTMLFormElement} form
 * @param {Asking} asking
 * @returns {void}
 */
export function ask(
  address,
  form,
  { method = "GET", body = null, type = null, about = "", moved = () => {}, came = () => {} } = {},
) {
  clear();
  const current = turns.begin();
  const request = (running = new XMLHttpRequest()); // fetch does not say how far an upload is
  /** @type {Line[]} */
  const lines = [];
  let at = 0;
  const again = () => ask(address, form, { method, body, type, about, moved, came });
  /** @param {() => void} happened */
  const on = (happened) => () => current() && happened();
  const read = () => {
    if (!isAnswer(request)) return;
    let end;
    while ((end = request.responseText.indexOf("\n", at)) >= 0) {
      lines.push(JSON.parse(request.responseText.slice(at, end)));
      show(lines[lines.length - 1], form);
      at = end + 1;
      came(lines, false);
    }
  };
  /** @param {string} words */
  const fail = (words) => {
    moved(null, null);
    status.classList.remove("error");
    sayFailed(status, words, again);
  };
  request.open(method, address);
  request.timeout = LONGEST;
  if (type) request.setRequestHeader("Content-Type", type);
  request.upload.onprogress = (event) =>
    current() && event.lengthComputable && moved(event.loaded / event.total, "sending");
  request.upload.onload = on(() => moved(null, "looking"));
  request.onprogress = on(read);
  request.onload = on(() => {
    read();
    moved(null, null);
    const refusal = refusalOf(request);
    if (isAnswer(request) && at === request.responseText.length) {
      tellCount(lines, about);
      came(lines, true);
    } else if (isAnswer(request)) fail("The answer was cut off.");
    else if (refusal && request.status < 500) tell(refusal, true);
    else fail(refusal ?? strangeWords(request.status));
  });
  request.onerror = on(() => fail("The explorer does not answer; is it still running?"));
  request.ontimeout = on(() => fail("The explorer took too long to answer."));
  tell("");
  moved(body ? 0 : null, body ? "sending" : "looking");
  request.send(body);
}

/** @param {XMLHttpRequest} request */
const isAnswer = (request) => request.status === 200 && typeOf(request).startsWith("application/x-ndjson");

/** @param {XMLHttpRequest} request */
const typeOf = (request) => request.getResponseHeader("Content-Type") ?? "";

/**
 * What the explorer says itself; null: another server has answered in its place.
 * @param {XMLHttpRequest} request
 * @returns {string | null}
 */
function refusalOf(request) {
  if (typeOf(request).startsWith("text/plain")) return request.responseText.trim() || null;
  try {
    const { error } = JSON.parse(request.responseText);
    return typeof error === "string" ? error : null;
  } catch {
    return null;
  }
}

/** @param {number} status */
function strangeWords(status) {
  if (status === 200) return "Another page came in place of the answer; reload this page.";
  const reason = status === 413 ? ": the picture is too large; give a smaller one" : "";
  return `The explorer answered ${status}${reason}.`;
}

/** @param {string} words */
export function tell(words, failed = false) {
  status.textContent = words;
  status.classList.toggle("error", failed);
}

// Removes all answers, and ignores those that have not arrived yet.
export function clear() {
  turns.begin();
  running?.abort();
  answers.replaceChildren();
  showSame({ same_pictures: [], error: null }, null);
}

/**
 * Shows answers that came before.
 * @param {Line[]} lines
 * @param {HTMLFormElement} form
 * @param {string} about
 */
export function showAgain(lines, form, about) {
  clear();
  for (const line of lines) show(line, form);
  tellCount(lines, about);
}

/**
 * @param {Line[]} lines
 * @param {string} about
 */
function tellCount(lines, about) {
  const count = lines.filter((line) => "space" in line).length;
  tell(`${count} ${count === 1 ? "network" : "networks"} answered${about}.`);
}

/**
 * @param {Line} line
 * @param {HTMLFormElement} form
 */
function show(line, form) {
  if ("space" in line) showAnswer(line, form);
  else showSame(line, form);
}

/**
 * Shows the artworks that show the same picture, above what networks found, or why these are not known.
 * @param {Same} found
 * @param {HTMLFormElement | null} form
 */
function showSame({ same_pictures, error }, form) {
  if (!same) return;
  same.hidden = !same_pictures.length && !error;
  same.querySelector(".error")?.remove();
  if (error) same.append(element("p", { className: "error" }, error));
  const items = same_pictures.map(({ artwork, words, evidence }) =>
    work(artwork, /** @type {HTMLFormElement} */ (form), [
      element("span", { className: "relation" }, words),
      " ",
      element("span", { className: "score" }, evidence),
    ]),
  );
  same.querySelector("ol")?.replaceChildren(...items);
}

/**
 * @param {Answer} answer
 * @param {HTMLFormElement} form
 */
function showAnswer(answer, form) {
  const heading = element("h2", {}, answer.space, " ");
  if (!answer.trained) heading.append(element("span", { className: "tag warn" }, "untrained"));
  const section = element("section", { className: "column" }, heading);
  section.setAttribute("aria-label", answer.space);
  if (answer.error) section.append(element("p", { className: "error" }, answer.error));
  section.append(element("ol", {}, ...answer.matches.map((found) => match(found, form))));
  if (answer.matches.length) {
    const address = new URL(form.dataset.set ?? "", location.href);
    address.searchParams.set("ids", answer.set);
    section.append(element("p", { className: "soft" }, element("a", { href: address.href }, "Make a set of these")));
  } else if (!answer.error) section.append(element("p", {}, "No work of these years."));
  answers.append(section);
}

/**
 * @param {Match} found
 * @param {HTMLFormElement} form
 */
const match = (found, form) =>
  work(found, form, [
    element("span", { className: "rank" }, String(found.rank)),
    " ",
    element("span", { className: "score" }, found.score.toFixed(4)),
  ]);

/**
 * @param {Artwork} artwork
 * @param {HTMLFormElement} form
 * @param {(Node | string)[]} about
 */
function work(artwork, form, about) {
  const address = new URL(form.dataset.artwork ?? "", location.href);
  address.searchParams.set("id", artwork.artwork_id);
  const title = short(artwork.title || "Untitled");
  const artists = short(artwork.artists.join(", "));
  const prefix = address.pathname.replace(/\/artwork$/, "");
  const image = element("img", {
    src: prefix + artwork.thumbnail,
    alt: artists ? `${title}, by ${artists}` : title,
    loading: "lazy",
  });
  return element(
    "li",
    {},
    element(
      "a",
      { href: address.href },
      element("span", { className: "hang" }, image),
      ...about,
      " ",
      element("cite", {}, title),
      " ",
      element("span", { className: "by" }, [artists, short(artwork.date ?? "")].filter(Boolean).join(", ")),
    ),
  );
}

const MOST = 300; // letters of a text in a list, as artworks.SHORT
/** @param {string} text */
const short = (text) => shortened(text, MOST);
