// No module, as browsers load none of a page that was opened as a file: it says what such a page lacks.
"use strict";

if (location.protocol === "file:") {
  /** @type {HTMLElement} */ (document.getElementById("asfile")).hidden = false;
  const count = document.querySelector("body.map #count");
  if (count) count.textContent = "The map needs a web server";
}
