// Says what a page lacks that was opened as a file. It is no module, as browsers load none for such a page.
"use strict";

if (location.protocol === "file:") {
  /** @type {HTMLElement} */ (document.getElementById("asfile")).hidden = false;
  const count = document.querySelector("body.map #count");
  if (count) count.textContent = "The map needs a web server";
}
