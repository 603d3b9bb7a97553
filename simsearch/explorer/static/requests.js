// Questions to the server: of several in one place only the newest is answered, and one that fails says
// so where its answer would have come, with a way to ask again.

import { element } from "./map-elements.js";

const LONGEST = 180_000; // milliseconds that an answer may take: the first one may load a network

// Counts the questions asked in one place.
export class Turns {
  #newest = 0;

  // Begins a turn. Returns a function that says whether this turn is still the newest.
  begin() {
    this.#newest++;
    return this.newest();
  }

  // Returns that function for the newest turn.
  newest() {
    const turn = this.#newest;
    return () => turn === this.#newest;
  }
}

/**
 * The answer's content as "json", "text" or "arrayBuffer". Throws an Error whose message is a clause.
 * @template {'json' | 'text' | 'arrayBuffer'} Kind
 * @param {string | URL} url
 * @param {Kind} kind
 * @returns {Promise<Awaited<ReturnType<Response[Kind]>>>}
 */
export async function read(url, kind) {
  let answer;
  try {
    answer = await fetch(url, { signal: AbortSignal.timeout(LONGEST) });
    if (answer.ok && !isStrange(answer, kind)) return await /** @type {any} */ (answer[kind]());
  } catch (error) {
    throw new Error(
      error instanceof DOMException && error.name === "TimeoutError"
        ? "the explorer took too long to answer"
        : "the explorer does not answer",
    );
  }
  throw new Error(
    answer.ok ? "another page came in its place; reload this page" : `the explorer answered ${answer.status}`,
  );
}

/**
 * Whether it is the page of another server, such as one that asks for a password, or for a file that it lacks.
 * @param {Response} answer
 * @param {'json' | 'text' | 'arrayBuffer'} kind
 */
const isStrange = (answer, kind) =>
  kind === "text" ? answer.redirected : (answer.headers.get("Content-Type") ?? "").startsWith("text/html");

/**
 * The clause of something that was thrown.
 * @param {unknown} error
 */
export const clauseOf = (error) => (error instanceof Error ? error.message : String(error));

/**
 * Says in `place` what failed. Its button asks `again`.
 * @param {HTMLElement} place
 * @param {string} words
 * @param {() => unknown} again
 */
export function sayFailed(place, words, again) {
  const button = element("button", { type: "button", className: "again" }, "Try again");
  button.addEventListener("click", () => {
    place.replaceChildren();
    again();
  });
  place.replaceChildren(element("span", { className: "error" }, words), " ", button);
}
