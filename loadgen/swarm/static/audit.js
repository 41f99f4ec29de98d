// The audit of the target: a button, a line of progress, and the table of findings. What a server says is set as text,
// never as markup.

import { element, fill, resize, setText } from "./figures.js";
import { fetchJson } from "./polling.js";

const POLL_MS = 500;
const PATH = "./loadgen/audit";

/** An element that starts and shows an audit, to be placed by its owner; refresh() asks for what there is. */
export class Audit {
  constructor() {
    this.element = element("section", "loadgen");
    this.element.id = "loadgen-audit";
    const heading = element("h2");
    heading.textContent = "Audit of the target";
    this.form = element("form", "loadgen-links");
    this.host = element("input");
    this.host.name = "audit-host";
    this.host.placeholder = "host of the runs";
    this.host.setAttribute("aria-label", "Host to audit; empty for the host of the runs");
    this.button = element("button");
    this.stopButton = element("button");
    this.stopButton.type = "button";
    this.stopButton.textContent = "Stop the audit";
    this.button.textContent = "Audit the target";
    this.record = element("a");
    this.record.href = "./loadgen/audit.json";
    this.record.download = "audit.json";
    this.record.textContent = "audit.json";
    this.form.append(this.host, this.button, this.stopButton, this.record);
    this.progress = element("p", "loadgen-facts");
    this.progress.setAttribute("role", "status");
    this.failure = element("p", "loadgen-failure");
    this.failure.setAttribute("role", "alert");
    this.counts = element("p", "loadgen-verdict");
    this.facts = element("p", "loadgen-facts");
    this.frame = element("div", "loadgen-scroll");
    this.table = element("table", "loadgen-findings");
    this.table.setAttribute("aria-label", "Findings");
    this.head = element("tr");
    const top = element("thead");
    top.append(this.head);
    this.body = element("tbody");
    this.table.append(top, this.body);
    this.frame.append(this.table);
    this.element.append(heading, this.form, this.progress, this.failure, this.counts, this.facts, this.frame);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask({ host: this.host.value });
    });
    this.stopButton.addEventListener("click", () => this.ask({ stop: true }));
    this.timer = 0;
    this.fail("");
    this.show({ state: "idle", message: "", progress: "", counts: "", facts: "", headings: [], groups: [] });
  }

  async ask(what) {
    try {
      const response = await fetch(PATH, {
        method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(what),
      });
      if (response.redirected || !response.ok) {
        throw new Error(response.redirected ? "Log in again to audit the target." : `Locust answered ${response.status}.`);
      }
      const { message } = await response.json();
      await this.refresh();
      if (message) {
        this.fail(message);
      }
    } catch (error) {
      this.fail(error.message);
    }
  }

  /** Show what there is, and go on with that while an audit runs. */
  async refresh() {
    clearTimeout(this.timer);
    try {
      const shown = await fetchJson(PATH);
      this.show(shown);
      if (shown.state === "running") {
        this.timer = setTimeout(() => this.refresh(), POLL_MS);
      }
    } catch (error) {
      this.fail(error.message);
    }
  }

  show(shown) {
    const isRunning = shown.state === "running";
    this.button.disabled = isRunning;
    this.stopButton.hidden = !isRunning;
    this.record.hidden = shown.groups.length === 0;
    this.frame.hidden = shown.groups.length === 0;
    setText(this.progress, shown.progress);
    setText(this.counts, shown.counts);
    this.counts.hidden = !shown.counts;
    setText(this.facts, [shown.url, shown.facts].filter(Boolean).join(" · "));
    this.fail(shown.message);
    fill(this.head, shown.headings, () => element("th"));
    resize(this.body, 0, () => element("tr"));
    for (const group of shown.groups) {
      const title = element("th");
      title.colSpan = shown.headings.length;
      title.scope = "rowgroup";
      title.textContent = group.title;
      const heading = element("tr");
      heading.append(title);
      this.body.append(heading, ...group.rows.map((cells) => row(cells, shown.headings)));
    }
  }

  fail(message) {
    setText(this.failure, message);
    this.failure.hidden = !message;
  }
}

function row(cells, headings) {
  const made = element("tr");
  fill(made, cells, (column) => {
    const cell = element("td");
    cell.dataset.column = headings[column];
    return cell;
  });
  made.dataset.verdict = cells[headings.indexOf("verdict")];
  return made;
}
