// The parts of the address that cannot be shown, each with a button that takes it out of the address.

import { element, shortened } from "./map-elements.js";

/** @type {Record<string, string>} */
const WORDS = {
  space: "no map of the network",
  method: "no map by the layout",
  colour: "no column",
  q: "no search for as many letters as",
  years: "no span of years in",
  at: "no place on the map in",
  area: "no area of a map that is here in",
  set: "no set of this snapshot in",
};
const MOST = 60; // letters of a value that are shown

/** @param {string} text */
const short = (text) => shortened(text, MOST);

/**
 * @param {string} name
 * @param {string} value
 */
export function noteOf(name, value) {
  if (name.startsWith("is."))
    return `The address asks for ${short(name.slice(3))}: ${short(value)}, which no artwork here has.`;
  return `There is ${WORDS[name]} “${short(value)}”, which the address asks for.`;
}

/**
 * `unread` are [name, value]; `taken` is called with the one that is taken out.
 * @typedef {[name: string, value: string]} Entry
 * @param {HTMLElement} place
 * @param {Entry[]} unread
 * @param {(entry: Entry) => void} taken
 */
export function showNotes(place, unread, taken) {
  place.hidden = !unread.length;
  place.replaceChildren(
    ...unread.map((entry) => {
      const button = element("button", { type: "button", className: "chip" }, "Leave it out");
      button.addEventListener("click", () => taken(entry));
      return element("p", {}, noteOf(...entry), " ", button);
    }),
  );
}
