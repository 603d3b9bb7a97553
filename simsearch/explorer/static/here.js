// The page's address, by which the page is shown again as it is.

const DIGITS = 8;

/**
 * The value of a parameter of the address, or null. Of several the last one counts, as it does for the explorer.
 * @param {string} name
 */
export const valueInAddress = (name) => new URLSearchParams(location.search).getAll(name).at(-1) ?? null;

/**
 * Sets parameters of the address, and its snapshot, without a step in the history.
 * @param {Record<string, string>} values
 */
export function keepInAddress(values) {
  const here = new URL(location.href);
  const snapshot = document.body.dataset.snapshot ?? "";
  for (const [name, value] of Object.entries({ ...values, snapshot })) here.searchParams.set(name, value);
  history.replaceState(history.state, "", here);
}

/**
 * Numbers as addresses have them, with the digits that make a hundredth of a pixel of the largest pictures.
 * @param {Record<string, number>} numbers
 */
export const toTexts = (numbers) =>
  Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(Number(value.toPrecision(DIGITS)))]));
