// The charts, each a function of what is chosen: {policies, view, scale, blocks} and a width. Null: nothing to show.
const LINE = 22; // height of a line of text above a bar
const IDENTITY = { type: "identity" }; // colours are those of the page's style

function colour(policy) {
  return `var(--s${policy % 7})`;
}

// That of a policy; in a sweep that of the policy which the cell is of.
function colourOf(data, policy) {
  return colour(data.colours?.[policy] ?? policy);
}

// Lines differ in more than colour, for those who do not see it and for a grey print.
const DASHES = ["none", "7 4", "8 3 2 3", "2 3", "12 3", "5 2", "10 3 2 3 2 3"];

// Where the axis of bars ends. An interval of two rounds can be thousands of times as long as the bars, which would then be too short to see.
const REACH = 3; // times the longest bar
function axisEnd(bars, intervalEnds) {
  const longest = Math.max(...bars);
  return Math.max(longest, Math.min(REACH * longest, Math.max(...intervalEnds)));
}

// Rows, one below the other, each with its text above its bar, so that a long name needs no margin. A row:
// {text, title, parts: [{from, to, fill}], low, high}. An interval that goes on beyond the axis has no tick at that end.
function bars(rows, width, end, format, start = 0) {
  if (!rows.length) return [];
  const parts = rows.flatMap((row, index) => row.parts.map((part) => ({ ...part, index })));
  const placed = rows.map((row, index) => ({ ...row, index }));
  const intervals = placed.filter((row) => Number.isFinite(row.low));
  const ends = intervals.flatMap((row) => [{ ...row, at: row.low }, { ...row, at: row.high }]);
  const band = { domain: [...rows.keys()], axis: null, padding: 0.06 };
  const x = {
    type: start ? "log" : "linear", domain: [start, end || 1], tickFormat: format, grid: true, label: null,
    ticks: start ? logTicks(1, end, width / 110) : Math.max(2, Math.floor(width / 110)),
  };
  return [Plot.plot({
    color: IDENTITY, width, height: rows.length * 46 + 44, marginLeft: 6, marginRight: 14, marginTop: 4, marginBottom: 36,
    x, // a bar on a log axis has to begin somewhere above 0
    y: band,
    marks: [
      ...logAxis("axisX", x),
      Plot.barX(parts, {
        x1: "from", x2: "to", y: "index", fill: "fill", insetTop: LINE, title: "title",
        tip: true,
      }),
      Plot.ruleY(intervals, {
        x1: (row) => Math.max(start, row.low), x2: (row) => Math.min(x.domain[1], row.high), y: "index", strokeWidth: 2, dy: LINE / 2,
      }),
      Plot.tickX(ends.filter(({ at }) => at >= start && at <= x.domain[1]),
        { x: "at", y: "index", strokeWidth: 2, insetTop: LINE + 4, insetBottom: 4 }),
      Plot.text(placed, {
        x: start, y: "index", text: "text", textAnchor: "start", dy: -LINE / 2 + 1, dx: 2, lineAnchor: "middle",
        fontVariant: "tabular-nums",
      }),
      Plot.ruleX([start]),
    ],
  })];
}

function extraTime(data, chosen, width) {
  const shown = data.comparisons.filter((one) => chosen.policies.has(one.candidate) && chosen.policies.has(one.baseline));
  // One scale for all, so that they can be compared.
  const end = axisEnd(data.comparisons.map(highest), data.comparisons.map((one) => one.ci95 ? one.from + one.ci95[1] : 0));
  return shown.flatMap((one) => {
    const [base, other] = [data.policies[one.baseline], data.policies[one.candidate]];
    let level = one.from;
    const found = [{ text: fitted(base, `: ${duration(one.from)}`, width), parts: [grey(0, one.from, base)] }];
    for (const [name, delta] of one.steps) {
      const text = `${name} ${signed(delta)}`;
      const fill = delta >= 0 ? "var(--cost)" : "var(--gain)";
      found.push({ text, parts: [{ from: Math.min(level, level + delta), to: Math.max(level, level + delta), fill, title: text }] });
      level += delta;
    }
    const bounds = one.ci95 ?? [null, null];
    const rest = `: ${duration(one.to)}, ${estimate(one.to - one.from, ...bounds, signed)}`;
    found.push({
      text: fitted(other, rest, width), parts: [grey(0, one.to, other)],
      low: one.ci95 ? one.from + bounds[0] : null, high: one.ci95 ? one.from + bounds[1] : null,
    });
    return bars(found, width, end, shortDuration);
  });
}

function grey(from, to, name) {
  return { from, to, fill: "var(--base)", title: `${name}: ${duration(to)}` };
}

function highest(one) {
  let level = one.from;
  const levels = one.steps.map(([, delta]) => (level += delta));
  return Math.max(one.from, one.to, ...levels);
}

function phases(data, chosen, width) {
  const shown = data.means.filter((one) => chosen.policies.has(one.policy));
  const end = axisEnd(data.means.map((one) => one.mean), data.means.map((one) => one.high ?? 0));
  return [keys(data.phases.map((name) => [name, `var(--${name})`])), ...bars(shown.map((one) => {
    let level = 0;
    const parts = one.phases.map(([name, ns]) =>
      ({ from: level, to: (level += ns), fill: `var(--${name})`, title: `${data.policies[one.policy]}\n${name}: ${duration(ns)}` }));
    const rest = `: ${estimate(one.mean, one.low, one.high)}`;
    return { text: fitted(data.policies[one.policy], rest, width), parts, low: one.low, high: one.high };
  }), width, end, shortDuration)];
}

// Which colour is what: [text, colour] each.
function keys(entries) {
  return element("ul", { className: "keys" }, ...entries.map(([text, fill]) => {
    const swatch = element("span");
    swatch.style.background = fill;
    return element("li", {}, swatch, text);
  }));
}

function rate(rps) {
  return `${number(rps)} req/s`;
}

function throughput(data, chosen, width) {
  const shown = data.throughput.filter((one) => chosen.policies.has(one.policy));
  const end = axisEnd(data.throughput.map((one) => one.rps), data.throughput.map((one) => one.high ?? 0));
  return bars(shown.map((one) => {
    const rest = `: ${estimate(one.rps, one.low, one.high, rate)}`;
    const title = data.policies[one.policy] + rest;
    const text = fitted(data.policies[one.policy], rest, width);
    return { text, parts: [{ from: 0, to: one.rps, fill: colourOf(data, one.policy), title }], low: one.low, high: one.high };
  }), width, end, (value) => value.toLocaleString("en"));
}

function requestsPerConnection(data, chosen, width) {
  const shown = data.connections.filter((one) => chosen.policies.has(one.policy));
  const means = data.connections.map((one) => one.requests);
  const end = Math.max(1, ...means);
  const start = end > 20 * Math.max(1, Math.min(...means)) ? 0.5 : 0;
  return bars(shown.map((one) => {
    const rest = `: ${number(one.requests)}, opened ${one.opened.toLocaleString("en")} (ideal ${one.ideal.toLocaleString("en")})`;
    const parts = [{ from: start, to: Math.max(start, one.requests), fill: colourOf(data, one.policy), title: data.policies[one.policy] + rest }];
    return { text: fitted(data.policies[one.policy], rest, width), parts };
  }), width, end, (value) => value.toLocaleString("en"), start);
}

function nines(share) {
  return -Math.log10(1 - share);
}

// A logarithmic axis that has a text at each of its ticks; Plot's own leaves out those of 5, 7 and 50.
function logAxis(axis, scale) {
  return scale.type === "log" ? [Plot[axis](scale.ticks, { text: (value) => scale.tickFormat(value) })] : [];
}

function latencyScale(values, scale, room) {
  const [low, high] = [Math.min(...values.filter((value) => value > 0)), Math.max(...values)];
  if (scale === "linear") return { domain: [0, high], tickFormat: shortDuration, grid: true };
  return { type: "log", domain: [low, high], ticks: logTicks(low, high, room), tickFormat: shortDuration, grid: true };
}

function latency(data, chosen, width) {
  const ofAll = data.latency.filter((one) => chosen.policies.has(one.policy));
  if (isWhole(data, chosen)) return latencyPlots(data, ofAll, chosen, width);
  const { shown, blocks } = data.slices ? latencyInWindow(data, chosen) : { shown: ofAll, blocks: null };
  return [windowNote(data, chosen, blocks), ...latencyPlots(data, shown, chosen, width)];
}

function latencyPlots(data, shown, chosen, width) {
  return chosen.view === "histogram" ? histogram(data, shown, chosen.scale, width) : percentiles(data, shown, chosen.scale, width);
}

function percentiles(data, shown, scale, width) {
  // Of few rounds an interval may reach down to 0, which a logarithmic axis has no place for.
  const lowest = Math.min(...shown.flatMap((one) => one.curve.map(([, value]) => value))) / 10;
  const points = shown.flatMap((one) => one.curve.map(([share, value, low, high]) =>
    ({ policy: one.policy, share, x: nines(share), value, low: Math.max(low ?? value, lowest), high: high ?? value,
      title: `${data.policies[one.policy]}\np${+(100 * share).toPrecision(5)}: ${estimate(value, low, high)}` })));
  if (!points.length) return [];
  const end = Math.max(...points.map((one) => one.x));
  const marks = [0.5, ...(width > 600 ? [0.75] : []), 0.9, 0.99, 0.999, 0.9999].filter((share) => nines(share) <= end + 1e-9);
  const y = { ...latencyScale(points.flatMap((one) => [one.low, one.high, one.value]), scale, 8), label: "latency" };
  return [Plot.plot({
    color: IDENTITY, width, height: 380, marginLeft: 62, marginBottom: 40, marginRight: 16,
    x: { domain: [nines(0.5), end], ticks: marks.map(nines), tickFormat: (x) => percentage(1 - 10 ** -x), label: "requests that were no slower" },
    y,
    marks: [
      ...logAxis("axisY", y),
      Plot.areaY(points, { x: "x", y1: "low", y2: "high", z: "policy", fill: (one) => colour(one.policy), fillOpacity: 0.18 }),
      ...shown.map((one) => Plot.lineY(points.filter((point) => point.policy === one.policy),
        { x: "x", y: "value", stroke: colour(one.policy), strokeWidth: 2, strokeDasharray: DASHES[one.policy % 7] })),
      Plot.dot(points, Plot.pointer({ maxRadius: 400, x: "x", y: "value", fill: (one) => colour(one.policy), r: 4 })),
      Plot.tip(points, Plot.pointer({ maxRadius: 400, x: "x", y: "value", title: "title" })),
    ],
  })];
}

function histogram(data, shown, scale, width) {
  const bins = shown.flatMap((one) => {
    const all = one.bins.reduce((sum, bin) => sum + bin[2], 0);
    return one.bins.map(([low, high, count]) => ({
      policy: data.policies[one.policy], number: one.policy, low, high, share: count / all,
      title: `${data.policies[one.policy]}\n${duration(low)} to ${duration(high)}\n${count.toLocaleString("en")} requests, ${rounded(count / all)}`,
    }));
  });
  if (!bins.length) return [];
  // One plot a policy, all with the same scales.
  const x = { ...latencyScale(bins.flatMap((bin) => [bin.low, bin.high]), scale, width / 70), label: null };
  x.ticks ??= Math.max(2, Math.floor(width / 110));
  const top = Math.max(...bins.map((bin) => bin.share));
  return shown.map((one) => Plot.plot({
    color: IDENTITY, width, height: 170, marginLeft: 50, marginBottom: 34, marginRight: 20, marginTop: 24, x,
    y: { domain: [0, top], tickFormat: percentage, ticks: 3, grid: true, label: `${data.policies[one.policy]}: requests in each bin` },
    marks: [
      ...logAxis("axisX", x),
      Plot.rectY(bins.filter((bin) => bin.number === one.policy),
        { x1: "low", x2: "high", y: "share", fill: colour(one.policy), title: "title", tip: true }),
      Plot.ruleY([0]),
    ],
  }));
}

// A line through the points of each policy that is chosen; `x` and `y` are keys of a point.
function policyLines(points, chosen, x, y, r = 3) {
  return [
    ...[...chosen.policies].map((policy) => Plot.lineY(points.filter((one) => one.policy === policy),
      { x, y, stroke: colour(policy), strokeWidth: 2, strokeDasharray: DASHES[policy % 7] })),
    Plot.dot(points, { x, y, fill: (one) => colour(one.policy), r }),
    Plot.tip(points, Plot.pointer({ maxRadius: 400, x, y, title: "title" })),
  ];
}

function overTime(data, chosen, width) {
  const [first, last] = chosen.blocks;
  const shown = data.blocks.filter((one) => chosen.policies.has(one.policy) && one.block >= first && one.block <= last);
  const over = (value, write, label) => {
    const points = shown.filter((one) => one[value] !== null).map((one) =>
      ({ ...one, title: `${data.policies[one.policy]}\nblock ${one.block}, round ${one.round}: ${write(one[value])}` }));
    if (!points.length) return [];
    return [Plot.plot({
      color: IDENTITY, width, height: 230, marginLeft: 62, marginBottom: 40, marginRight: 16,
      x: { domain: [first - 0.3, last + 0.3], label: "block", tickFormat: "d", ticks: Math.min(10, Math.max(1, last - first)), interval: 1 },
      y: { domain: [0, Math.max(...points.map((one) => one[value]))], tickFormat: value === "mean" ? shortDuration : undefined, grid: true, label },
      marks: policyLines(points, chosen, "block", value),
    })];
  };
  return [...over("mean", duration, "mean latency of a block"), ...over("rps", rate, "requests per second")];
}

const PLOTS = { extra_time: extraTime, percentiles: latency, phases, throughput, over_time: overTime, requests_per_connection: requestsPerConnection };
