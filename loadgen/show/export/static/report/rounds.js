// Charts over the rounds of a run: a line for each policy, differences whose interval shrinks as rounds come in, and how
// connections ended. As in plots.js, each is a function of the data, of what is chosen, and of a width.
const PER_ROUND = {
  p50: { label: "p50 latency", write: duration, ticks: shortDuration },
  p99: { label: "p99 latency", write: duration, ticks: shortDuration },
  rps: { label: "requests per second", write: rate, ticks: (value) => value.toLocaleString("en") },
  reuse: { label: "share of requests on a reused connection", write: rounded, ticks: percentage, top: 1 },
  handshake: { label: "handshake, mean per request", write: duration, ticks: shortDuration },
};

function roundAxis(points, width) {
  const [first, last] = [Math.min(...points.map((one) => one.round)), Math.max(...points.map((one) => one.round))];
  const pad = Math.max(0.3, (last - first) / 60);
  return { domain: [first - pad, last + pad], label: "round", tickFormat: "d", interval: 1, ticks: Math.min(Math.floor(width / 70), Math.max(1, last - first)) };
}

function perRound(key) {
  const { label, write, ticks, top } = PER_ROUND[key];
  return (data, chosen, width) => {
    const points = data.rounds.filter((one) => chosen.policies.has(one.policy) && Number.isFinite(one[key])).map((one) =>
      ({ ...one, title: `${data.policies[one.policy]}\nround ${one.round}: ${write(one[key])}` }));
    if (!points.length) return [];
    return [Plot.plot({
      color: IDENTITY, width, height: 220, marginTop: 30, marginLeft: 62, marginBottom: 40, marginRight: 16, ariaLabel: label,
      x: roundAxis(points, width),
      y: { domain: [0, top ?? (Math.max(...points.map((one) => one[key])) || 1)], tickFormat: ticks, ticks: 5, grid: true, label },
      marks: policyLines(points, chosen, "round", key, points.length > 120 ? 1.5 : 3),
    })];
  };
}

function differences(data, chosen, width) {
  const shown = data.differences.filter((one) => chosen.policies.has(one.candidate) && chosen.policies.has(one.baseline));
  const points = shown.flatMap((one) => one.steps.map(([round, value, low, high]) => ({
    round, value, low, high, policy: one.candidate,
    title: `${data.policies[one.candidate]} − ${data.policies[one.baseline]}\nafter round ${round}: ${estimate(value, low, high, signed)}`,
  })));
  if (!points.length) return [];
  const known = points.filter((one) => one.low !== null);
  // The first intervals are of two or three rounds and may be far wider than all that follow: they leave the frame.
  const settled = known.filter((one) => one.round > (known.at(0)?.round ?? 0) + 2);
  const values = [0, ...points.map((one) => one.value), ...(settled.length ? settled : known).flatMap((one) => [one.low, one.high])];
  return [Plot.plot({
    color: IDENTITY, width, height: 240, marginTop: 30, marginLeft: 62, marginBottom: 40, marginRight: 16, ariaLabel: "difference of the mean latency",
    x: { ...roundAxis(points, width), label: "after round" },
    y: { domain: [Math.min(...values), Math.max(...values) || 1], tickFormat: (ns) => `${ns < 0 ? "−" : ""}${shortDuration(ns)}`, ticks: 5, grid: true, label: "more than the baseline, per request" },
    marks: [
      Plot.ruleY([0]),
      Plot.areaY(known, { x: "round", y1: "low", y2: "high", z: "policy", fill: (one) => colour(one.policy), fillOpacity: 0.18, clip: true }),
      ...shown.map((one) => Plot.lineY(points.filter((point) => point.policy === one.candidate),
        { x: "round", y: "value", stroke: colour(one.candidate), strokeWidth: 2, strokeDasharray: DASHES[one.candidate % 7], clip: true })),
      Plot.dot(points, { x: "round", y: "value", fill: (one) => colour(one.policy), r: 3, clip: true }),
      Plot.tip(points, Plot.pointer({ maxRadius: 400, x: "round", y: "value", title: "title" })),
    ],
  })];
}

function endings(data, chosen, width) {
  const shown = data.endings.filter((one) => chosen.policies.has(one.policy));
  const kinds = [...new Set(data.endings.flatMap((one) => one.counts.map(([kind]) => kind)))];
  return bars(shown.map((one) => {
    const all = one.counts.reduce((sum, [, count]) => sum + count, 0);
    let level = 0;
    const parts = one.counts.map(([kind, count]) => ({
      from: level, to: (level += count / all), fill: `var(--s${kinds.indexOf(kind) % 7})`,
      title: `${data.policies[one.policy]}\n${kind.replaceAll("_", " ")}: ${count.toLocaleString("en")} of ${all.toLocaleString("en")}`,
    }));
    const rest = `: ${one.counts.map(([kind, count]) => `${count.toLocaleString("en")} ${kind.replaceAll("_", " ")}`).join(", ")}`;
    return { text: shortened(data.policies[one.policy] + rest, width), parts };
  }), width, 1, (share) => ({ 0: "0", 1: "all" })[share] ?? percentage(share));
}

function shortened(text, width) {
  const room = Math.floor(width / CHARACTER_WIDTH);
  return text.length <= room ? text : `${text.slice(0, room - 1)}…`;
}

for (const key of Object.keys(PER_ROUND)) PLOTS[`round_${key}`] = perRound(key);
Object.assign(PLOTS, { differences, endings });
