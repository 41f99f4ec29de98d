// Fills Locust's empty tab "Connection reuse". Locust redraws its page at any time, so none of its elements is kept:
// whether the tab is chosen, and where its content belongs, is read from the page after each change.

import { Audit } from "./audit.js";
import { Charts } from "./charts.js";
import { fixOptions } from "./edit_form.js";
import { arrangeFields } from "./field_groups.js";
import { Downloads, element, Figures } from "./figures.js";
import { poll } from "./polling.js";
import { paper, shownTheme } from "./theme.js";

const TITLE = "Connection reuse";

const figures = new Figures();
const downloads = new Downloads();
const audit = new Audit();
const runCharts = new Charts();
const links = element("div", "loadgen-links");
const charts = element("a");
charts.href = "./loadgen";
charts.target = "_blank";
charts.textContent = "A page of its own";
const toAudit = element("a");
toAudit.href = "#loadgen-audit";
toAudit.textContent = "Audit of the target";
toAudit.addEventListener("click", (event) => {
  event.preventDefault(); // Locust reads its tab from the address
  audit.element.scrollIntoView();
  audit.host.focus();
});
links.append(charts, toAudit, downloads.element);
figures.element.id = "loadgen-tab";
figures.facts.after(links);
figures.policies.element.before(runCharts.element);
figures.element.append(audit.element);
figures.fail("");

/** The panel of Locust's tabs, where the content belongs; null while another tab or the start form is shown. */
function currentPanel() {
  const tab = document.querySelector('main [role="tab"][aria-selected="true"]');
  const isOurs = tab !== null && tab.textContent.trim() === TITLE;
  return isOurs ? document.querySelector("main > *:has([role='tablist'])") : null;
}

const pollNow = poll(
  () => currentPanel() !== null && document.visibilityState === "visible",
  async (live) => {
    useTheme();
    figures.update(live);
    downloads.update(live);
    await runCharts.update(live);
  },
  (message) => figures.fail(message),
);

function useTheme() {
  figures.element.dataset.theme = shownTheme();
  figures.element.style.setProperty("--paper", paper());
}

function follow() {
  requestAnimationFrame(useTheme); // the page has its new colours by then
  arrangeFields();
  fixOptions();
  const panel = currentPanel();
  if (panel === null) {
    figures.element.remove();
  } else if (figures.element.parentNode !== panel) {
    panel.append(figures.element);
    pollNow();
    audit.refresh();
  }
}

new MutationObserver(follow).observe(document.body, {
  subtree: true, childList: true, attributes: true, attributeFilter: ["aria-selected"],
});
follow();
