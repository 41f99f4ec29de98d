// Locust's form that edits a running test shows our options too, which a run reads once, when it starts. There they are
// out of reach, with a line that says so. Locust may draw the form anew at any time.

import { fieldOf, ourInputs } from "./form_fields.js";

const TITLE = "Edit running load test";
const NOTE = "These options are read when a run starts. To change them, stop this run and start a new one.";

/** Make our fields inert in the form that edits a running test, where it is shown. */
export function fixOptions() {
  const heading = [...document.querySelectorAll("h2")].find((one) => one.textContent === TITLE);
  for (const [, input] of heading ? ourInputs(heading.parentElement) : []) {
    const field = fieldOf(input);
    if (!field.inert) {
      field.inert = true;
      field.classList.add("loadgen-fixed");
      const fields = field.parentElement;
      if (!fields.querySelector(".loadgen-fixed-note")) {
        const note = document.createElement("p");
        note.className = "loadgen-fixed-note";
        note.textContent = NOTE;
        fields.prepend(note);
      }
    }
  }
}
