// The charts of a run, drawn by the report's own code from what the server says, while the run goes on and afterwards.
// The drawing library is fetched when there is something to draw. Names may come from a user: they are set as text.

import { element } from "./figures.js";
import { fetchJson } from "./polling.js";

const SHOWN = {
  differences: ["differences", "What a policy adds to a request, as rounds come in, with its 95 % interval"],
  round_p50: ["rounds", "p50 latency"],
  round_p99: ["rounds", "p99 latency"],
  round_rps: ["rounds", "Throughput"],
  round_reuse: ["rounds", "Is reuse happening? Requests on a reused connection"],
  round_handshake: ["rounds", "Handshake"],
  extra_time: ["comparisons", "Where the extra time goes: from one mean request to the other"],
  percentiles: ["latency", "Latency, with handshakes"],
  phases: ["means", "Where a request's time goes: mean of each phase per request"],
  endings: ["endings", "How connections ended"],
  balance: ["balance", "Whose requests they were over time: the share of each backend, or of each address"],
};

/** An element with the charts, to be placed by its owner; update(live) draws newer ones. */
export class Charts {
  constructor() {
    this.element = element("section", "loadgen-section");
    this.element.id = "loadgen-charts";
    this.element.hidden = true;
    const heading = element("h2");
    heading.textContent = "Charts";
    this.picker = element("p", "loadgen-picker");
    this.grid = element("div", "loadgen-charts");
    this.element.append(heading, this.picker, this.grid);
    this.figures = Object.entries(SHOWN).map(([name, [part, title]]) => {
      const figure = element("figure");
      const caption = element("figcaption");
      caption.textContent = title;
      const drawn = element("div", "drawn");
      figure.append(caption, drawn);
      figure.dataset.plot = name;
      return { name, part, figure, drawn };
    });
    this.grid.append(...this.figures.map((one) => one.figure));
    this.data = {};
    this.hidden = new Set(); // names of policies that are not picked
    this.version = null;
    this.plots = null;
    new ResizeObserver(() => {
      if (this.width !== this.grid.clientWidth) {
        this.draw();
      }
    }).observe(this.grid);
  }

  async update(live) {
    const version = `${live.run}-${live.plots_version}`;
    if (version === this.version) {
      return;
    }
    this.data = await fetchJson("./loadgen/plots");
    this.version = version;
    if (this.data.rounds && this.plots === null) {
      this.plots = (await import("./plots.js")).PLOTS;
    }
    this.pick();
    this.draw();
  }

  /** A box for each policy, in the policy's colour. */
  pick() {
    const names = this.data.policies ?? [];
    const known = [...this.picker.querySelectorAll("label")].map((one) => one.textContent);
    if (JSON.stringify(known) !== JSON.stringify(names)) {
      this.picker.replaceChildren(...names.map((name, number) => this.box(name, number)));
    }
    this.picker.hidden = names.length < 2;
  }

  box(name, number) {
    const input = element("input");
    input.type = "checkbox";
    input.checked = !this.hidden.has(name);
    input.addEventListener("change", () => {
      this.hidden[input.checked ? "delete" : "add"](name);
      this.draw();
    });
    const label = element("label", `s${number % 7}`);
    label.append(input, name);
    return label;
  }

  draw() {
    const { data } = this;
    this.element.hidden = !data.rounds || this.plots === null;
    this.width = this.grid.clientWidth;
    if (this.element.hidden || !this.width) {
      return;
    }
    const policies = new Set([...data.policies.keys()].filter((number) => !this.hidden.has(data.policies[number])));
    const chosen = { policies, view: "percentile", scale: "log", blocks: [1, Infinity] };
    for (const { name, part, figure, drawn } of this.figures) {
      figure.hidden = !data[part]?.length;
      // A value that is being read stays where it is.
      if (!figure.hidden && !(figure.matches(":hover") && drawn.childElementCount && drawn.dataset.width === `${this.width}`)) {
        drawn.replaceChildren(...this.plots[name](data, chosen, Math.max(260, Math.floor(figure.clientWidth))));
        drawn.dataset.width = this.width;
      }
    }
  }
}
