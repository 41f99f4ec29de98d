// Charts of lines along an axis, with a legend by which lines are picked.
function lines(name) {
  return (data, chosen, width) => {
    const chart = data.lines[name];
    chosen.hidden ??= {};
    const hidden = (chosen.hidden[name] ??= new Set());
    const write = { ns: duration, rps: rate, ratio: factor }[chart.y.unit];
    const number = (line, index) => line.policy ?? (chart.lines.some((one) => one.dashed) ? Math.floor(index / 2) : index);
    const shown = chart.lines.map((line, index) => ({ ...line, number: number(line, index) })).filter((line) => !hidden.has(line.label));
    const as = (line) => ([x, y, low, high]) => ({
      x, y, number: line.number, low: low ?? y, high: high ?? y, known: low !== null,
      title: `${line.label}\n${tickText(chart, x)}: ${chart.y.unit === "ratio" ? factorEstimate(y, low, high) : estimate(y, low, high, write)}`,
    });
    const measured = shown.map((line) => [line, line.points.filter(([, y]) => y !== null).map(as(line))]);
    const fits = shown.filter((line) => line.fit).map((line) => line.fit.map(as(line)));
    const hasPoints = measured.some(([, points]) => points.length);
    return [legend(chart, hidden, number, chosen), ...(hasPoints ? [linePlot(chart, measured, fits, width)] : [])];
  };
}

function tickText(chart, x) {
  return chart.x.ticks.find(([place]) => Math.abs(place - x) < 1e-9)?.[1] ?? "";
}

function linePlot(chart, measured, fits, width) {
  const points = measured.flatMap(([, own]) => own);
  const top = REACH * Math.max(...points.map((one) => one.y)); // a longer interval leaves the frame
  const values = points.flatMap((one) => [one.low, chart.y.scale === "linear" ? Math.min(one.high, top) : one.high, one.y]);
  const format = chart.y.unit === "ns" ? shortDuration : (value) => `${value.toLocaleString("en")}${chart.y.unit === "ratio" ? "×" : ""}`;
  const y = { ...latencyScale(values.filter((value) => chart.y.scale === "linear" || value > 0), chart.y.scale, 8), tickFormat: format };
  const places = chart.x.ticks.map(([place]) => place);
  const span = places.at(-1) - places[0] || 1;
  // Labels that would touch are left out.
  const gap = Math.max(48, 8.3 * Math.max(...chart.x.ticks.map(([, text]) => text.length)));
  const margin = chart.x.margin ?? 0;
  const marginRight = Math.max(24, 4 * tickText(chart, places.at(-1)).length + 6); // half of the last label stands there
  const room = (width - 62 - marginRight) / (span + 2 * margin);
  const ticks = places.reduce((kept, place) => (kept.length && (place - kept.at(-1)) * room < gap ? kept : [...kept, place]), []);
  const color = (one) => colour(one.number);
  return Plot.plot({
    color: IDENTITY, width, height: 340, marginLeft: 62, marginBottom: 40, marginRight,
    x: { domain: [places[0] - margin, places.at(-1) + margin], ticks, tickFormat: (place) => tickText(chart, place), label: chart.x.label },
    y: { ...y, label: chart.y.label },
    marks: [
      ...logAxis("axisY", y),
      Plot.ruleX(chart.x.marks ?? [], { x: (one) => one[0], strokeDasharray: "2 3", strokeOpacity: 0.6, title: (one) => one[1] }),
      ...(chart.y.unit === "ratio" ? [Plot.ruleY([1])] : []),
      ...fits.map((fit) => Plot.areaY(fit, { x: "x", y1: "low", y2: "high", fill: color, fillOpacity: 0.15, clip: true })),
      ...fits.map((fit) => Plot.lineY(fit, { x: "x", y: "y", stroke: color, strokeWidth: 2 })),
      ...measured.filter(([line]) => !line.fit).map(([line, own]) => Plot.lineY(own,
        { x: "x", y: "y", stroke: color, strokeWidth: 2, strokeDasharray: line.dashed ? "2 3" : "none" })),
      Plot.ruleX(points.filter((one) => one.known), { x: "x", y1: "low", y2: "high", stroke: color, strokeWidth: 2, clip: true }),
      Plot.dot(points, { x: "x", y: "y", fill: color, r: 3.5 }),
      Plot.tip(points, Plot.pointer({ maxRadius: 400, x: "x", y: "y", title: "title" })),
    ],
  });
}

function legend(chart, hidden, number, chosen) {
  const labels = chart.lines.map((line, index) => {
    const label = option("checkbox", "line", line.label, !hidden.has(line.label), (checked) => {
      hidden[checked ? "delete" : "add"](line.label);
      chosen.redraw();
    });
    label.classList.add(`s${number(line, index) % 7}`);
    return label;
  });
  return element("fieldset", { className: "controls policies" }, element("legend", { textContent: "Lines" }), ...labels);
}
