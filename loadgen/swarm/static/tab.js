// Fills Locust's empty tab "Connection reuse". Locust draws its page anew whenever it likes, so nothing of its elements
// is kept: whether the tab is chosen, and where its content belongs, is read from the page each time that it changes.

import { Downloads, element, Figures, poll } from "./figures.js";

const TITLE = "Connection reuse";

const figures = new Figures();
const downloads = new Downloads();
const links = element("div", "loadgen-links");
const charts = element("a");
charts.href = "./loadgen";
charts.target = "_blank";
charts.textContent = "Charts, on a page of their own";
links.append(charts, downloads.element);
figures.element.id = "loadgen-tab";
figures.facts.after(links);
figures.fail("");

/** Where the content belongs now: the panel of Locust's tabs; null while another tab or the start form is shown. */
function place() {
  const tab = document.querySelector('main [role="tab"][aria-selected="true"]');
  const isOurs = tab !== null && tab.textContent.trim() === TITLE;
  return isOurs ? document.querySelector("main > *:has([role='tablist'])") : null;
}

const turn = poll(
  () => place() !== null && document.visibilityState === "visible",
  (live) => {
    figures.update(live);
    downloads.update(live);
  },
  (message) => figures.fail(message),
);

function settle() {
  const panel = place();
  if (panel === null) {
    figures.element.remove();
  } else if (figures.element.parentNode !== panel) {
    panel.append(figures.element);
    turn();
  }
}

new MutationObserver(settle).observe(document.body, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["aria-selected"],
});
settle();
