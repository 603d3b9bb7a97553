// What a page keeps in the browser for all later pages, by name. A browser that keeps nothing, as where cookies
// are blocked, is asked in vain.

/** @param {string} name */
export function stored(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
export function store(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // it counts for this page alone
  }
}
