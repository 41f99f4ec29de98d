// Whose requests they were over time: the share of each backend, or of each address, bar by bar. As in plots.js.
function balance(data, chosen, width) {
  return data.balance.filter((one) => chosen.policies.has(one.policy) && one.bars.length).flatMap((one) => {
    const totals = one.places.map((_, place) => one.bars.reduce((sum, [, counts]) => sum + counts[place], 0));
    const all = totals.reduce((sum, count) => sum + count, 0);
    const parts = one.bars.flatMap(([round, counts], bar) => {
      const sum = counts.reduce((total, count) => total + count, 0);
      let level = 0;
      return counts.map((count, place) => ({
        bar, from: level / sum, to: (level += count) / sum, fill: colour(place),
        title: `${one.places[place]}\nround ${round}: ${rounded(count / sum)} of ${sum.toLocaleString("en")} requests`,
      }));
    });
    const evenness = one.evenness === null ? "" : `, evenness ${one.evenness < 1 && one.evenness >= 0.995 ? ">0.99" : one.evenness.toFixed(2)}`;
    const heading = element("p", { className: "facts", textContent: data.policies[one.policy] + evenness });
    return [heading, keys(one.places.map((name, place) => [`${name}: ${rounded(totals[place] / all)}`, colour(place)])), Plot.plot({
      color: IDENTITY, width, height: 130, marginTop: 8, marginLeft: 46, marginBottom: 34, marginRight: 10,
      ariaLabel: `share of requests, ${data.policies[one.policy]}`,
      x: { type: "linear", domain: [0, one.bars.length], label: "round", ...roundTicks(one.bars, width) },
      y: { domain: [0, 1], tickFormat: percentage, ticks: 2, label: null },
      marks: [
        Plot.rect(parts, { x1: "bar", x2: (part) => part.bar + 1, y1: "from", y2: "to", fill: "fill", inset: 0.3 }),
        Plot.tip(parts, Plot.pointer({ x: (part) => part.bar + 0.5, y: (part) => (part.from + part.to) / 2, title: "title" })),
      ],
    })];
  });
}

// A tick at the first bar of some of the rounds.
function roundTicks(bars, width) {
  const firsts = bars.map(([round], bar) => [round, bar]).filter(([round], bar) => bar === 0 || bars[bar - 1][0] !== round);
  const step = Math.max(1, Math.ceil(firsts.length / Math.max(1, Math.floor(width / 60))));
  const shown = new Map(firsts.filter((_, index) => index % step === 0).map(([round, bar]) => [bar, `${round}`]));
  return { ticks: [...shown.keys()], tickFormat: (bar) => shown.get(bar) ?? "" };
}

PLOTS.balance = balance;
