// The page of charts: the same figures as in the tab, and the comparison's charts, newer ones as they are drawn.

import { ask, Downloads, element, Figures, poll, resize } from "./figures.js";

const ASK_FOR_CHARTS_MS = 5000;

const figures = new Figures();
const downloads = new Downloads();
const charts = document.getElementById("charts");
const noCharts = document.getElementById("no-charts");
const noDownloads = document.getElementById("no-downloads");
let shownVersion = null;
let shownRun = null;
let askedMs = -Infinity;

figures.fail("");
document.getElementById("figures").append(figures.element);
document.getElementById("downloads").append(downloads.element);

/** As light or dark as Locust's own pages: they keep what was chosen under this name. */
function takeTheme() {
  document.documentElement.dataset.theme = localStorage.getItem("theme") ?? "";
}

async function update(live) {
  figures.update(live);
  downloads.update(live);
  noDownloads.hidden = live.files.length > 0;
  document.title = live.run ? `${live.run}: connection reuse` : "Connection reuse";
  const isNew = live.charts_version !== shownVersion || live.run !== shownRun;
  const isDue = live.state === "running" && performance.now() - askedMs >= ASK_FOR_CHARTS_MS;
  if (isNew || isDue) {
    askedMs = performance.now();
    show(await ask("./loadgen/charts"), `${live.run ?? ""}-${live.charts_version}`);
    shownVersion = live.charts_version;
    shownRun = live.run;
  }
}

/** A picture for each name; `version` makes the browser fetch those again that were drawn anew. */
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

window.addEventListener("storage", takeTheme);
takeTheme();
poll(() => document.visibilityState === "visible", update, (message) => figures.fail(message));
