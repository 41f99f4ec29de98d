// What is chosen on the page, and drawing anew whenever that changes. Without this script the pictures stay.
function option(kind, name, text, checked, change) {
  const input = element("input", { type: kind, name, checked });
  input.addEventListener("change", () => change(input.checked));
  return element("label", {}, input, text);
}

function choices(name, legend, values, chosen, change) {
  const options = values.map((value) => option("radio", name, value, value === chosen, () => change(value)));
  return element("fieldset", { className: "controls" }, element("legend", { textContent: legend }), ...options);
}

function start(data) {
  for (const name of Object.keys(data.lines ?? {})) PLOTS[name] = lines(name);
  const chosen = { policies: new Set(data.policies?.keys() ?? []), view: "percentile", scale: "log", blocks: [1, lastBlock(data)] };
  const figures = [...document.querySelectorAll("figure[data-plot]")].filter((one) => one.dataset.plot in PLOTS);
  const drawn = new Map(figures.map((figure) => [figure, element("div", { className: "drawn" })]));
  let onPaper = false; // where charts are narrower than on a wide screen, and text must not shrink with them
  const width = (figure) => (onPaper ? 660 : Math.max(280, Math.floor(figure.clientWidth)));
  function draw() {
    for (const [figure, place] of drawn) {
      place.replaceChildren(...PLOTS[figure.dataset.plot](data, chosen, width(figure)));
      if (!place.childElementCount) place.append(element("p", { className: "facts", textContent: "Nothing to show of what is chosen." }));
      if (figure.dataset.plot === "over_time") timeWindow(data, chosen, figure, place, draw);
    }
  }
  chosen.redraw = draw;
  for (const figure of figures) {
    controls(figure, chosen, draw);
    figure.append(drawn.get(figure));
  }
  const picked = figures.find((one) => !(one.dataset.plot in (data.lines ?? {})) && one.dataset.plot !== "heat_map");
  if (data.policies?.length > 1 && picked) picked.before(policyPicker(data, chosen, draw));
  draw();
  // Only then, so that a chart that fails leaves its picture.
  for (const figure of figures) {
    figure.querySelector("img")?.remove();
    figure.classList.remove("scroll");
    figure.removeAttribute("tabindex");
  }
  for (const [name, is] of [["beforeprint", true], ["afterprint", false]])
    addEventListener(name, () => {
      onPaper = is;
      draw();
    });
  let known = document.documentElement.clientWidth;
  new ResizeObserver(() => {
    if (known === (known = document.documentElement.clientWidth)) return;
    draw();
  }).observe(document.documentElement);
}

function policyPicker(data, chosen, draw) {
  const options = data.policies.map((name, policy) => {
    const label = option("checkbox", "policy", name, true, (checked) => {
      chosen.policies[checked ? "add" : "delete"](policy);
      draw();
    });
    label.classList.add(`s${(data.colours?.[policy] ?? policy) % 7}`);
    return label;
  });
  const of = element("fieldset", { className: "controls policies" }, element("legend", { textContent: data.colours ? "Cells" : "Policies" }), ...options);
  // A list that would fill a screen is closed until it is opened.
  return options.length > 7 ? element("details", {}, element("summary", { textContent: "Pick cells" }), of) : of;
}

function controls(figure, chosen, draw) {
  if (figure.dataset.plot !== "percentiles") return;
  const set = (key) => (value) => {
    chosen[key] = value;
    draw();
  };
  figure.append(
    choices("view", "View", ["percentile", "histogram"], chosen.view, set("view")),
    choices("scale", "Latency axis", ["log", "linear"], chosen.scale, set("scale")),
  );
}

// A window of time: drawn over a chart with the pointer, or set by two sliders; and each policy's figures in it.
function timeWindow(data, chosen, figure, place, draw) {
  const last = lastBlock(data);
  const pick = (low, high) => {
    chosen.blocks = [Math.max(1, low), Math.min(last, Math.max(low, high))];
    draw();
  };
  // A finger on a chart scrolls the page; it has the sliders.
  if (!matchMedia("(pointer: coarse)").matches) for (const svg of place.querySelectorAll("svg")) brush(svg, chosen, pick);
  if (!figure.querySelector(".window")) figure.append(sliders(chosen, last, pick));
  for (const [at, input] of figure.querySelectorAll(".window input").entries()) input.value = chosen.blocks[at];
  figure.querySelector(".window output").textContent = `blocks ${chosen.blocks[0]} to ${chosen.blocks[1]} of ${last}`;
  place.append(figuresIn(data, chosen));
}

function sliders(chosen, last, pick) {
  const slider = (label, move) => {
    const input = element("input", { type: "range", min: 1, max: last, step: 1, ariaLabel: label });
    input.addEventListener("input", () => move(Number(input.value)));
    return input;
  };
  const all = element("button", { type: "button", textContent: "All" });
  all.addEventListener("click", () => pick(1, last));
  return element("fieldset", { className: "controls window" }, element("legend", { textContent: "Time window" }),
    slider("first block", (value) => pick(value, Math.max(value, chosen.blocks[1]))),
    slider("last block", (value) => pick(Math.min(value, chosen.blocks[0]), value)),
    element("output"), all);
}

function brush(svg, chosen, pick) {
  const { width, height } = svg.viewBox.baseVal;
  const [left, right] = [62, width - 16];
  const block = (x) => chosen.blocks[0] - 0.3 + ((x - left) / (right - left)) * (chosen.blocks[1] - chosen.blocks[0] + 0.6);
  const chooser = d3.brushX().extent([[left, 20], [right, height - 40]]).on("end", ({ selection }) => {
    if (selection) pick(Math.ceil(block(selection[0])), Math.floor(block(selection[1])));
  });
  d3.select(svg).append("g").attr("class", "brush").call(chooser);
}

function figuresIn(data, chosen) {
  const rows = [...chosen.policies].sort((a, b) => a - b).map((policy) => {
    const blocks = data.blocks.filter((one) => one.policy === policy && one.block >= chosen.blocks[0] && one.block <= chosen.blocks[1]);
    const answered = d3.sum(blocks, (one) => (one.mean === null ? 0 : one.answered));
    const seconds = d3.sum(blocks, (one) => one.seconds);
    return [data.policies[policy], blocks.length,
      answered ? duration(d3.sum(blocks, (one) => (one.mean ?? 0) * one.answered) / answered) : "–",
      seconds ? number(d3.sum(blocks, (one) => one.answered) / seconds) : "–"];
  });
  const cells = (name, row) => element("tr", {}, ...row.map((text) => element(name, { textContent: text })));
  return element("div", { className: "scroll" }, element("table", { className: "in-window" },
    element("thead", {}, cells("th", ["in this window", "blocks", "mean", "req/s"])),
    element("tbody", {}, ...rows.map((row) => cells("td", row)))));
}
