// A page of its own: the same figures and charts as in the tab, the pictures that a run has left, and the audit of the
// target.

import { Audit } from "./audit.js";
import { Charts } from "./charts.js";
import { Downloads, element, Figures, resize } from "./figures.js";
import { fetchJson, poll } from "./polling.js";
import { chosenTheme } from "./theme.js";

const figures = new Figures();
const downloads = new Downloads();
const audit = new Audit();
const runCharts = new Charts();
const charts = document.getElementById("charts");
const noCharts = document.getElementById("no-charts");
const noDownloads = document.getElementById("no-downloads");
let shownVersion = null;
let shownRun = null;

figures.fail("");
figures.policies.element.before(runCharts.element);
document.getElementById("figures").append(figures.element);
document.getElementById("downloads").append(downloads.element);
document.getElementById("audit").append(audit.element);
audit.refresh();

/** As light or dark as Locust's own pages. */
function useTheme() {
  document.documentElement.dataset.theme = chosenTheme();
}

async function update(live) {
  figures.update(live);
  downloads.update(live);
  useTheme();
  noDownloads.hidden = live.files.length + live.exports.length > 0;
  document.title = live.run ? `${live.run}: connection reuse` : "Connection reuse";
  await runCharts.update(live);
  if (live.charts_version !== shownVersion || live.run !== shownRun) {
    show(await fetchJson("./loadgen/charts"), `${live.run ?? ""}-${live.charts_version}`);
    shownVersion = live.charts_version;
    shownRun = live.run;
  }
}

/** A picture for each name; `version` makes the browser fetch redrawn pictures again. */
function show(names, version) {
  noCharts.hidden = names.length > 0;
  resize(charts, names.length, () => element("img"));
  names.forEach((name, index) => {
    const picture = charts.children[index];
    const source = `./loadgen/charts/${encodeURIComponent(name)}?v=${encodeURIComponent(version)}`;
    if (picture.getAttribute("src") !== source) {
      picture.src = source; // the old picture stays until the new one is there
    }
    picture.alt = name.replace(/\.[a-z]+$/, "").replaceAll("_", " ");
  });
}

window.addEventListener("storage", useTheme);
useTheme();
poll(() => document.visibilityState === "visible", update, (message) => figures.fail(message));
