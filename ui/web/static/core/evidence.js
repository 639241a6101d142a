// What stands behind a number, in a panel at the side: how it was made, from how many, over which
// time, against which limit; as a link and as CSV. What is open is part of the address.
import { button, el, id, setAttribute } from "./dom.js";
import { download } from "./csv.js";
import { live } from "./live.js";
import { change, route } from "./route.js";
import { explainNumber } from "./methods.js";
import { copy } from "./take.js";

let opener = null;

const openEvidence = (name) => {
  opener = document.activeElement;
  change({ open: name });
};

// Makes a number that can be opened: by mouse, by Enter, and by who hears it read.
export function evident(node, name, what) {
  node.classList.add("evident");
  node.setAttribute("role", "button");
  node.setAttribute("tabindex", "0");
  node.dataset.evidence = name;
  if (what) setAttribute(node, "aria-description", `opens the evidence for ${what}`);
  if (node.dataset.opens) return node;
  node.dataset.opens = "yes";
  const open = (event) => {
    event.preventDefault();
    event.stopPropagation();
    openEvidence(node.dataset.evidence);
  };
  node.addEventListener("click", open);
  node.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") open(event); });
  return node;
}

export function closeEvidence() {
  if (!route.state.open?.includes(":")) return false;
  change({ open: "" });
  if (opener?.isConnected) opener.focus();
  return true;
}

function draw(box, name, evidence) {
  const rows = evidence.facts.filter(([, value]) => value !== undefined && value !== "");
  const csv = () => download(`evidence ${name}`, ["what", "value"], [["number", evidence.title], ["value", evidence.value], ...rows]);
  box.replaceChildren(
    el("div", { class: "side-head" }, el("h2", { id: "side-title", tabindex: "-1" }, evidence.title), button("×", closeEvidence, { class: "close", "aria-label": "Close" })),
    el("p", { class: "figure" }, evidence.value),
    evidence.verdict && el("p", { class: `verdict sev-${evidence.state}` }, evidence.verdict),
    el("p", { class: "method" }, evidence.method),
    el("dl", { class: "facts" }, rows.flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, String(value))])),
    el("div", { class: "buttons" }, button("Copy link", () => copy(location.href, "The link")), button("As CSV", csv), evidence.more && el("a", { href: evidence.more[1] }, evidence.more[0])));
}

let shown = "";

// Called when the address or the picture changed.
export function showEvidence() {
  const box = id("side");
  const name = route.state.open ?? "";
  const wanted = name.includes(":");
  const evidence = wanted && live.picture ? explainNumber(name, live.picture) : null;
  const before = shown;
  shown = wanted ? name : "";
  box.hidden = !wanted;
  document.documentElement.toggleAttribute("data-side", wanted);
  if (!wanted) return;
  const text = evidence ? JSON.stringify(evidence) : "none";
  if (box.dataset.text === text && before === name) return;
  box.dataset.text = text;
  if (evidence) draw(box, name, evidence);
  else box.replaceChildren(el("div", { class: "side-head" }, el("h2", { id: "side-title", tabindex: "-1" }, "Evidence"), button("×", closeEvidence, { class: "close", "aria-label": "Close" })),
    el("p", { class: "quiet" }, live.picture ? "There is no such number in the present picture." : "The first picture is still to come."));
  if (before !== name && opener) id("side-title").focus();
}
