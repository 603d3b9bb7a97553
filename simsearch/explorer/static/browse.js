// Search in a static copy, where no server answers: the artworks' list is read once, then filtered.

const form = document.getElementById("browse");
const wall = document.querySelector(".wall");
const count = document.querySelector(".count");
const first = [...wall.children];
const said = count.textContent;
const SHOWN = 96;
const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
let artworks = null;

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.querySelector("input").addEventListener("input", async (event) => {
  artworks ??= (await (await fetch(form.dataset.artworks)).json()).map((each) => ({ ...each, words: fold(`${each.title} ${each.artists}`) }));
  const words = fold(event.target.value).split(/\s+/).filter(Boolean);
  document.querySelector(".paging")?.toggleAttribute("hidden", words.length > 0);
  if (!words.length) {
    wall.replaceChildren(...first);
    count.textContent = said;
    return;
  }
  const found = artworks.filter((each) => words.every((word) => each.words.includes(word)));
  count.textContent = `${found.length} of ${artworks.length} artworks` + (found.length > SHOWN ? `, the first ${SHOWN} shown` : "");
  wall.replaceChildren(...found.slice(0, SHOWN).map(card));
});

function card(artwork) {
  const image = element("img", { src: artwork.picture, alt: `${artwork.title}, by ${artwork.artists}`, loading: "lazy" });
  return element("li", {}, element("a", { className: "card", href: artwork.page },
    element("span", { className: "hang" }, image), element("cite", {}, artwork.title), element("span", { className: "by" }, artwork.artists)));
}

function element(name, properties, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}
