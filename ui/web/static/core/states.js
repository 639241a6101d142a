// Five pictures for what is not there: they mean different things to who looks, so none of them
// looks like another, and none looks like a number.
import { el } from "./dom.js";

const PICTURES = {
  empty: ["", "Nothing here."],
  stale: ["◷", "This is old."],
  loading: ["", "Loading."],
  refused: ["⊘", "Not for you."],
  unset: ["", "Not configured."],
  nodata: ["○", "No data."],
  lost: ["⚡", "No answer."],
  busy: ["◷", "Busy."],
  wrong: ["≠", "Not understood."],
};

export function stateBox(kind, text = "", ...more) {
  const [mark, usual] = PICTURES[kind] ?? PICTURES.lost;
  return el("div", { class: `state state-${kind}`, role: kind === "loading" ? "status" : null },
    el("p", {}, mark && el("span", { class: "state-mark", "aria-hidden": "true" }, mark), text || usual), ...more);
}

// What a refusal of the API looks like.
export function refusalBox(error, again) {
  const words = {
    unset: `Not configured: ${error.status === 404 ? "this service does not have that" : error.message}.`,
    refused: `Refused: ${error.message}.`,
    busy: `Busy: ${error.message}.`,
    wrong: `Not understood: ${error.message}.`,
    lost: `No answer: ${error.message}.`,
  };
  const text = (words[error.kind] ?? `Something went wrong: ${error.message}.`).replace(/\.\.$/, ".");
  return stateBox(error.kind ?? "lost", text,
    again && error.kind !== "unset" && el("button", { type: "button", on: { click: again } }, "Try again"));
}
