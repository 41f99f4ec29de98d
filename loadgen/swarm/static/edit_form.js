// Locust's form that edits a running test shows our options too, which a run reads once, when it starts. There they are
// out of reach, with a line that says so. Locust may draw the form anew at any time.

const TITLE = "Edit running load test";
const NOTE = "These options are read when a run starts. To change them, stop this run and start a new one.";

const ours = new Set(JSON.parse(document.getElementById("loadgen-options")?.textContent ?? "[]"));

/** Locust writes retry_stale as retryStale. */
const optionName = (fieldName) => fieldName.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Make our fields inert in the form that edits a running test, where it is shown. */
export function fixOptions() {
  const heading = [...document.querySelectorAll("h2")].find((one) => one.textContent === TITLE);
  for (const input of heading?.parentElement.querySelectorAll("form [name]") ?? []) {
    const field = fieldOf(input);
    if (ours.has(optionName(input.name)) && !field.inert) {
      field.inert = true;
      field.classList.add("loadgen-fixed");
      if (!field.parentElement.querySelector(".loadgen-fixed-note")) {
        const note = document.createElement("p");
        note.className = "loadgen-fixed-note";
        note.textContent = NOTE;
        field.before(note);
      }
    }
  }
}

/** The largest element around the input that holds no other one: its label and its frame too. */
function fieldOf(input) {
  let found = input;
  while (found.parentElement.querySelectorAll("[name]").length === 1) {
    found = found.parentElement;
  }
  return found;
}
