// Shared by the tab and the page: a run's figures as text and tables, and the files that it has left.
// Names, addresses and messages may come from a target or a user: they are set as text, never as markup.

import { formatCount, formatDuration, formatEstimate, formatRate, formatShare } from "./numbers.js";

const HEADINGS = ["policy", "requests", "req/s", "mean", "p50", "p99", "connections", "reuse ratio", "errors"];

const orDash = (value, format) => (value === null || value === undefined ? "–" : format(value));

/** An element that shows a run, to be placed by its owner; update(live) shows newer figures. */
export class Figures {
  constructor() {
    this.element = element("div", "loadgen");
    this.facts = element("p", "loadgen-facts");
    this.failure = element("p", "loadgen-failure");
    this.failure.setAttribute("role", "alert");
    this.cards = element("div", "cards");
    this.verdict = element("p", "loadgen-verdict");
    this.warnings = element("div", "loadgen-warnings");
    this.gates = new Table("Gates", []);
    this.gatesNote = element("p", "loadgen-facts");
    this.policies = new Table("Policies", HEADINGS);
    this.phases = new Table("Phases: mean where the phase happened", []);
    this.balance = new Table("Where connections and requests went", []);
    this.balanceNote = element("p", "loadgen-facts");
    this.element.append(
      this.facts, this.failure, this.cards, this.verdict, this.gates.element, this.gatesNote, this.warnings,
      this.policies.element, this.phases.element, this.balance.element, this.balanceNote,
    );
  }

  update(live) {
    setText(this.facts, factsOf(live));
    const failure = live.state === "failed" ? live.message || "The run failed." : "";
    this.fail(failure);
    const isRepeated = live.verdict !== "" && failure.startsWith(live.verdict);
    const lines = live.verdict ? live.verdict_lines : [waitingFor(live)];
    fill(this.verdict, isRepeated ? [] : lines, () => element("span"));
    this.showCards(live.cards);
    this.gates.update(live.gates.rows, live.gates.headings);
    setText(this.gatesNote, live.gates.note ?? "");
    this.balance.update(live.balance.rows, live.balance.headings);
    setText(this.balanceNote, live.balance.note ?? "");
    this.verdict.classList.toggle("loadgen-open", !live.verdict);
    fill(this.warnings, live.warnings.map((one) => `${one.code}: ${one.message}`), () => element("p", "loadgen-warning"));
    this.policies.update(live.policies.map(policyRow));
    const phases = Object.keys(live.policies[0]?.phases_ns ?? {}).filter((phase) => live.policies.some((one) => one.phases_ns[phase] !== null));
    this.phases.update(phases.length ? live.policies.map((one) => phaseRow(one, phases)) : [], ["policy", ...phases]);
  }

  /** The headline of each policy, as on the first screen of the report. */
  showCards(cards) {
    this.cards.hidden = cards.length === 0;
    resize(this.cards, cards.length, newCard);
    cards.forEach((card, number) => {
      const [title, big] = this.cards.children[number].children;
      this.cards.children[number].className = `card s${number % 7} ${card.kind}`;
      setText(title, card.title);
      fill(big, [card.amount, card.bounds], (at) => element(at ? "small" : "span"));
    });
  }

  /** Show what went wrong; the figures stay. */
  fail(message) {
    setText(this.failure, message);
    this.failure.hidden = !message;
  }
}

function newCard() {
  const card = element("article");
  card.append(element("h3"), element("p", "big"));
  return card;
}

function factsOf(live) {
  const parts = [live.state];
  if (live.round) {
    const isOver = live.state === "finished" || live.state === "failed";
    parts.push(isOver ? counted(live.round, "round") : `round ${formatCount(live.round)}`);
  }
  if (live.state !== "idle") {
    parts.push(counted(live.blocks, "block"), counted(live.users, "user"));
  }
  return [...parts, live.url, live.directory].filter(Boolean).join(" · ");
}

const counted = (number, noun) => `${formatCount(number)} ${noun}${number === 1 ? "" : "s"}`;

function waitingFor(live) {
  if (live.state === "idle") {
    return "No run yet: start one, and its figures appear here.";
  }
  return live.state === "failed" ? "No verdict." : "No verdict yet: it takes a finished round.";
}

function policyRow(one) {
  const kinds = Object.entries(one.errors).filter(([, number]) => number > 0).sort(([, a], [, b]) => b - a);
  const errors = kinds.map(([kind, number]) => `${formatCount(number)} ${kind.replaceAll("_", " ")}`);
  return [
    one.name,
    formatCount(one.requests),
    orDash(one.throughput_rps, formatRate),
    orDash(one.mean_ns, (value) => formatEstimate(value, one.mean_ci95)),
    orDash(one.p50_ns, (value) => formatEstimate(value, one.p50_ci95)),
    orDash(one.p99_ns, (value) => formatEstimate(value, one.p99_ci95)),
    `opened ${formatCount(one.opened)} (ideal ${formatCount(one.ideal)})`,
    one.requests ? orDash(one.reuse_ratio, formatShare) : "–",
    errors.join(", ") || "0",
  ];
}

const phaseRow = (one, phases) => [one.name, ...phases.map((phase) => orDash(one.phases_ns[phase], formatDuration))];

/** A heading and a table of text, hidden while it has no rows. */
class Table {
  constructor(title, headings) {
    this.element = element("section", "loadgen-section");
    this.headings = headings;
    const heading = element("h2");
    heading.textContent = title;
    const frame = element("div", "loadgen-scroll");
    const table = element("table");
    table.setAttribute("aria-label", title);
    this.head = element("tr");
    const top = element("thead");
    top.append(this.head);
    this.body = element("tbody");
    table.append(top, this.body);
    frame.append(table);
    this.element.append(heading, frame);
  }

  update(rows, headings = this.headings) {
    this.element.hidden = rows.length === 0;
    this.headings = headings ?? [];
    fill(this.head, this.headings, () => header("col"));
    resize(this.body, rows.length, () => element("tr"));
    rows.forEach((cells, index) => {
      fill(this.body.children[index], cells, (column) => this.newCell(column));
    });
  }

  newCell(column) {
    const cell = column === 0 ? header("row") : element("td");
    cell.dataset.column = this.headings[column];
    return cell;
  }
}

function header(scope) {
  const cell = element("th");
  cell.scope = scope;
  return cell;
}

// Only texts that differ are set: a selection and the scroll position of a wide table outlast the next figures.

export function element(name, className = "") {
  const made = document.createElement(name);
  if (className) {
    made.className = className;
  }
  return made;
}

export function setText(target, text) {
  if (target.textContent !== text) {
    target.textContent = text;
  }
}

/** Make `parent` hold one child for each text; `make(index)` gives a new one. */
export function fill(parent, texts, make) {
  resize(parent, texts.length, make);
  texts.forEach((text, index) => setText(parent.children[index], text));
}

/** Make `parent` hold `length` children; `make(index)` gives a new one. */
export function resize(parent, length, make) {
  while (parent.children.length > length) {
    parent.lastElementChild.remove();
  }
  while (parent.children.length < length) {
    parent.append(make(parent.children.length));
  }
}

/** Links to the files that a run has left, and to all formats in which it can be had now, while it goes on too. */
export class Downloads {
  constructor() {
    this.element = element("div", "loadgen-downloads");
    this.files = element("p", "loadgen-links");
    this.exports = element("details");
    const summary = element("summary");
    summary.textContent = "Exports";
    this.formats = element("p", "loadgen-links");
    this.exports.append(summary, this.formats);
    this.element.append(this.files, this.exports);
  }

  update(live) {
    const isOver = live.state === "finished" || live.state === "failed";
    const report = live.exports.filter((one) => one.opens && !isOver && live.files.length === 0);
    linkTo(this.files, [
      ...live.files.map((file) => ({ ...file, text: file.name, href: `./loadgen/files/${file.name}` })),
      ...report.map((one) => ({ ...one, text: "Report so far", href: `./loadgen/exports/${one.name}` })),
    ]);
    linkTo(this.formats, live.exports.map((one) => ({
      ...one, opens: false, text: `${one.name}: ${one.title}`, href: `./loadgen/exports/${one.name}?download`,
    })));
    this.exports.hidden = live.exports.length === 0;
  }
}

/** One link each; the server says which of them opens instead of being saved. */
function linkTo(parent, links) {
  fill(parent, links.map((one) => one.text), () => element("a"));
  links.forEach((one, index) => {
    const link = parent.children[index];
    link.setAttribute("href", one.href);
    link.toggleAttribute("download", !one.opens);
    link.target = one.opens ? "_blank" : "";
  });
  parent.hidden = links.length === 0;
}
