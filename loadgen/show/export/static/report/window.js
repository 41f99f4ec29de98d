// Latencies of the blocks that are chosen: percentiles and bins of a window of time, from counts of each block.
const BINS_PER_DECADE = 40;

// The number of the last block that measured something; one that did not is not there.
function lastBlock(data) {
  return data.blocks?.at(-1).block ?? 1;
}

function isWhole(data, chosen) {
  return chosen.blocks[0] <= 1 && chosen.blocks[1] >= lastBlock(data);
}

// As the latencies of the whole run are, but for intervals; and the blocks that they are of.
function latencyInWindow(data, chosen) {
  const [first, last] = chosen.blocks;
  const inside = data.slices.filter((one) => chosen.policies.has(one.policy) && one.blocks[0] >= first && one.blocks[1] <= last);
  const shown = data.latency.filter((one) => chosen.policies.has(one.policy)).map((one) => {
    const counts = summed(inside.filter((slice) => slice.policy === one.policy));
    return { policy: one.policy, curve: curveOf(counts, one.curve.map(([share]) => share)), bins: binsOf(counts) };
  }).filter((one) => one.bins.length);
  const blocks = inside.length ? [Math.min(...inside.map((one) => one.blocks[0])), Math.max(...inside.map((one) => one.blocks[1]))] : null;
  return { shown, blocks };
}

// [number of the bin, count], in order.
function summed(slices) {
  const counts = new Map();
  for (const slice of slices)
    slice.counts.forEach((count, at) => count && counts.set(slice.bin + at, (counts.get(slice.bin + at) ?? 0) + count));
  return [...counts].sort(([a], [b]) => a - b);
}

function curveOf(counts, shares) {
  const all = d3.sum(counts, ([, count]) => count);
  return shares.filter((share) => all * (1 - share) >= 1 - 1e-9).map((share) => {
    const rank = Math.max(1, Math.ceil(share * all));
    let before = 0;
    for (const [bin, count] of counts) {
      if (before + count >= rank) return [share, 10 ** ((bin + (rank - before - 0.5) / count) / BINS_PER_DECADE), null, null];
      before += count;
    }
  });
}

// Two bins are one of the histogram's.
function binsOf(counts) {
  const found = d3.rollup(counts, (group) => d3.sum(group, ([, count]) => count), ([bin]) => Math.floor(bin / 2));
  return [...found].map(([bin, count]) => [10 ** ((2 * bin) / BINS_PER_DECADE), 10 ** ((2 * bin + 2) / BINS_PER_DECADE), count]);
}

function windowNote(data, chosen, blocks) {
  const text = !data.slices ? "Of the whole run: its summary has no latencies by block; loadgen report makes it anew."
    : blocks ? `Of blocks ${blocks[0]} to ${blocks[1]}, right within 6%. Intervals are known of the whole run alone.` : "No request in this window.";
  const all = element("button", { type: "button", textContent: "Whole run" });
  all.addEventListener("click", () => {
    chosen.blocks = [1, lastBlock(data)];
    chosen.redraw();
  });
  return element("p", { className: "facts of-window" }, `${text} `, all);
}
