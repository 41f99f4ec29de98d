// The charts of a diff: what earlier runs had, what the new one has, and by how much it changed.
const KINDS = { cost: "var(--cost)", gain: "var(--gain)", change: "var(--accent)", "": "var(--base)" };

function meanChanges(data, chosen, width) {
  const shown = data.mean_changes.filter((one) => chosen.policies.has(one.policy));
  const end = Math.max(...data.mean_changes.map((one) => Math.max(one.old ?? 0, one.new ?? 0, one.ci95 ? one.old + one.ci95[1] : 0)));
  return bars(shown.flatMap((one) => {
    const name = data.policies[one.policy];
    const row = (when, ns, fill, rest = "", bounds = {}) => ({
      text: fitted(name, ` ${when}: ${duration(ns)}${rest}`, width), ...bounds,
      parts: [{ from: 0, to: ns, fill, title: `${name} ${when}: ${duration(ns)}` }],
    });
    const [low, high] = one.ci95 ?? [null, null];
    return [
      row("before", one.old ?? 0, "var(--base)"),
      row("now", one.new ?? 0, colour(one.policy), `, ${estimate((one.new ?? 0) - (one.old ?? 0), low, high, signed)}`,
        one.ci95 ? { low: Math.max(0, one.old + low), high: one.old + high } : {}),
    ];
  }), width, end, shortDuration);
}

function factor(value) {
  return `${value > 0 && value < 0.0005 ? +value.toPrecision(2) : value.toFixed(value < 10 ? 3 : 1)}×`;
}

function factorEstimate(value, low, high) {
  return low === null ? factor(value) : `${factor(value)} [${factor(low).slice(0, -1)}, ${factor(high).slice(0, -1)}]`;
}

const LEFT = 14;

// A row a statistic: a point with its interval, around the line of no change.
function points(rows, width, x, none) {
  if (!rows.length) return [];
  const placed = rows.map((row, index) => ({ ...row, index, fill: KINDS[row.kind] }));
  const known = placed.filter((row) => row.low !== null);
  return [Plot.plot({
    color: IDENTITY, width, height: rows.length * 40 + 44, marginLeft: LEFT, marginRight: 18, marginTop: 4, marginBottom: 36,
    x: { grid: true, label: null, ticks: Math.max(3, Math.floor(width / 130)), ...x },
    y: { domain: [...rows.keys()], axis: null, padding: 0.06 },
    marks: [
      ...logAxis("axisX", x),
      Plot.ruleX([none], { strokeWidth: 1.5 }),
      Plot.ruleY(known, { x1: "low", x2: "high", y: "index", stroke: "fill", strokeWidth: 3, dy: LINE / 2 }),
      Plot.tickX(known.flatMap((row) => [{ ...row, at: row.low }, { ...row, at: row.high }]),
        { x: "at", y: "index", stroke: "fill", strokeWidth: 2, insetTop: LINE + 3, insetBottom: 3 }),
      Plot.dot(placed, { x: "at", y: "index", fill: "fill", r: 5, dy: LINE / 2 }),
      Plot.text(placed, { frameAnchor: "left", y: "index", text: "text", textAnchor: "start", dy: -LINE / 2 + 3, dx: 2, lineAnchor: "middle",
        fontVariant: "tabular-nums", stroke: "var(--paper)", strokeWidth: 4, fill: "currentColor" }),
      Plot.tip(placed, Plot.pointerY({ x: "at", y: "index", title: "title", dy: LINE / 2, maxRadius: 60 })),
    ],
  })];
}

function ratioChanges(data, chosen, width) {
  const of = (one) => one.policies.map((policy) => data.policies[policy]).join(" / ");
  const ends = data.ratio_changes.flatMap((one) => [one.ratio, one.low, one.high, 1]);
  const rows = data.ratio_changes.filter((one) => one.policies.every((policy) => chosen.policies.has(policy))).map((one) => {
    const rest = `, ${one.statistic}: ${factorEstimate(one.ratio, one.low, one.high)}`;
    return { text: fitted(of(one), rest, width - LEFT), at: one.ratio, low: one.low, high: one.high, kind: one.kind,
      title: `${of(one)}${rest}\n${one.kind ? "certain" : "not certain"}` };
  });
  const tickFormat = (value) => `${+value.toPrecision(4)}×`;
  const [low, high, room] = [Math.min(...ends), Math.max(...ends), Math.max(3, Math.floor(width / 110))];
  // Twice and half are equally far from no change; so near to it that the ends differ by less, either scale says the same.
  const x = high > 2 * low ? { type: "log", domain: [low / 1.1, high * 1.1], ticks: logTicks(low / 1.1, high * 1.1, room), tickFormat }
    : { domain: around(ends), tickFormat, ticks: room };
  return points(rows, width, x, 1);
}

function phaseChanges(data, chosen, width) {
  const ends = data.phase_changes.flatMap((one) => [one.delta, one.low ?? one.delta, one.high ?? one.delta, 0]);
  const rows = data.phase_changes.filter((one) => chosen.policies.has(one.policy)).map((one) => {
    const name = data.policies[one.policy];
    const rest = `, ${one.phase}: ${estimate(one.delta, one.low, one.high, signed)}`;
    return { text: fitted(name, rest, width - LEFT), at: one.delta, low: one.low, high: one.high, kind: one.kind,
      title: `${name}${rest}\n${duration(one.old)} before, ${duration(one.new)} now; ${one.kind ? "certain" : "not certain"}` };
  });
  return points(rows, width, { domain: around(ends), tickFormat: (ns) => (ns ? `${ns < 0 ? "−" : "+"}${shortDuration(Math.abs(ns))}` : "0") }, 0);
}

// A domain with a little room at both ends, so that no mark is cut.
function around(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = 0.04 * (high - low) || 0.1;
  return [low - room, high + room];
}

Object.assign(PLOTS, { mean_changes: meanChanges, ratio_changes: ratioChanges, phase_changes: phaseChanges });
