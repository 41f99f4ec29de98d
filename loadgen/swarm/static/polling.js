// What the server says, asked for again and again while someone looks.

const POLL_MS = 1000;
const POLL_AT_REST_MS = 2000;
const TIMEOUT_MS = 10000;

/** Fetch one of our JSON answers. Throws an Error whose message is for people. */
export async function fetchJson(path) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new Error("Locust does not answer; these are the last figures it gave.");
  }
  if (response.redirected) {
    throw new Error("Log in again to see the figures.");
  }
  if (!response.ok) {
    throw new Error(`Locust answered ${response.status}; these are the last figures it gave.`);
  }
  return response.json();
}

/** Fetch the figures again and again while `isWanted()`: often in a run, rarely at rest, one request at a time. */
export function poll(isWanted, onFigures, onFailure) {
  let timer = 0;
  let isFetching = false;

  async function next() {
    clearTimeout(timer);
    if (isFetching || !isWanted()) {
      return;
    }
    isFetching = true;
    let pauseMs = POLL_AT_REST_MS;
    try {
      const live = await fetchJson("./loadgen/live");
      pauseMs = live.state === "running" || live.state === "finishing" ? POLL_MS : POLL_AT_REST_MS;
      await onFigures(live);
    } catch (error) {
      onFailure(error.message);
    }
    isFetching = false;
    timer = setTimeout(next, pauseMs);
  }

  document.addEventListener("visibilitychange", next);
  next();
  return next;
}
