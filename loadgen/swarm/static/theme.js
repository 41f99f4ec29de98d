// Light or dark: Locust keeps the user's choice, and without one goes by the system's.

const system = matchMedia("(prefers-color-scheme: dark)");

/** What Locust's pages are, or will be, by its own rule. */
export const chosenTheme = () => localStorage.getItem("theme") ?? (system.matches ? "dark" : "light");

/** What the page is now: Locust's switch changes its colours, and there is no event for that. */
export function shownTheme() {
  const [red, green, blue] = paper().match(/[\d.]+/g).map(Number);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128 ? "dark" : "light";
}

/** The colour of the page. */
export const paper = () => getComputedStyle(document.body).backgroundColor;
