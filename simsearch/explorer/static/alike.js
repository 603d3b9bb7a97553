// The parts that match come once the page stands: the first question about a network loads it.

const section = document.getElementById("parts");
const place = section.querySelector("[aria-live]");

if (section.dataset.parts) {
  const answer = await fetch(section.dataset.parts).catch(() => null);
  const text = answer?.ok ? await answer.text() : "<p class='error'>The explorer did not answer; open the page again.</p>";
  place.replaceChildren(...new DOMParser().parseFromString(text, "text/html").body.childNodes);
}

// One pair at a time stands out under the pointer.
place.addEventListener("pointerover", (event) => {
  const match = event.target.closest?.(".match");
  for (const each of place.querySelectorAll(".match")) each.classList.toggle("faint", Boolean(match) && each.dataset.match !== match.dataset.match);
});
