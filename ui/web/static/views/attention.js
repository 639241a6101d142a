// What needs a person: what burns, since when, how fast, why, and what to do about it, where it is
// seen. When nothing does, one quiet line.
import { button, el, list, setAttribute, setText } from "../core/dom.js";
import { absolute, moment, time } from "../core/time.js";
import { viewLink } from "../core/route.js";
import { acknowledge, rollBack, silence } from "./actions.js";

const VIEWS = [[/^data:|^data-quality/, "quality"], [/drift|psi/i, "drift"], [/quarantine|field|volume|fresh|label/i, "quality"], [/canary|split|arm/i, "traffic"]];

function whereTo(item) {
  const text = item.title;
  return VIEWS.find(([pattern]) => pattern.test(text))?.[1] ?? "slo";
}

function make() {
  return el("article", { class: "item" },
    el("h2", {}, el("span", { class: "mark" }), el("span", { class: "title" }), el("span", { class: "since" })),
    el("dl"), el("div", { class: "acts" }));
}

function sinceWords(item) {
  if (!item.since) return "";
  if (!time.local || !item.since_time) return `since ${item.since}`;
  const at = item.since.indexOf(",");
  return `since ${moment(Date.parse(item.since_time))}${at < 0 ? "" : item.since.slice(at)}`;
}

// The alerts that this card is about: by name where one is named, else those of its severity.
function alertsOf(item, index, picture) {
  const firing = (picture.alerts ?? []).filter((alert) => alert.state === "firing" && alert.severity === item.state);
  const named = firing.filter((alert) => item.title.toLowerCase().includes(alert.name.split("-")[0].toLowerCase()));
  return named.length ? named : index === 0 ? firing : [];
}

// What can be done about an alert, and what was done.
function alertActs(alert) {
  return [
    alert.acknowledged_by ? el("span", { class: "quiet" }, `in the hands of ${alert.acknowledged_by}`) : button("Acknowledge…", () => acknowledge(alert)),
    alert.silent_until ? el("span", { class: "quiet" }, `silent until ${moment(Date.parse(alert.silent_until))}`) : button("Silence…", () => silence(alert)),
  ];
}

function acts(box, item, index, picture) {
  const advice = item.evidence.map((line) => line.text).join(" ");
  const canary = picture.view.arms.some((arm) => arm.variant === "canary" && arm.share_wanted > 0);
  const alerts = alertsOf(item, index, picture);
  const wanted = [`why ${whereTo(item)}`, canary && /canary/i.test(advice) ? "roll" : "", ...alerts.map((alert) => `ack ${alert.name} ${alert.acknowledged_by} ${alert.silent_until}`)].join("|");
  if (box.dataset.acts === wanted) return;
  box.dataset.acts = wanted;
  box.replaceChildren(...[
    canary && /canary/i.test(advice) ? button("Roll the canary back…", () => rollBack(), { class: "primary" }) : null,
    ...alerts.slice(0, 1).flatMap(alertActs),
    el("a", { class: "button", href: viewLink(whereTo(item)) }, "Why?"),
  ].filter(Boolean));
}

function change(picture) {
  return (node, item, index) => {
    setAttribute(node, "data-state", item.state);
    setText(node.querySelector(".mark"), item.state === "nodata" ? item.mark : `${item.mark} ${item.word.toUpperCase()}`);
    setText(node.querySelector(".title"), item.title);
    const since = node.querySelector(".since");
    setText(since, sinceWords(item));
    if (item.since_time) setAttribute(since, "title", absolute(Date.parse(item.since_time)));
    const lines = item.evidence.flatMap((line) => [["dt", line.label], ["dd", line.text]]);
    list(node.querySelector("dl"), lines, ([tag]) => el(tag), (part, [, text]) => setText(part, text));
    acts(node.querySelector(".acts"), item, index, picture);
  };
}

export function drawAttention(box, picture) {
  const { view } = picture;
  const calm = box.querySelector(".calm");
  if (view.attention.length === 0) {
    const words = view.headline.worst === "nodata" ? "Nothing is known yet." : "Nothing needs you.";
    if (!calm) box.replaceChildren(el("p", { class: "calm" }));
    setText(box.firstElementChild, words);
    return;
  }
  calm?.remove();
  list(box, view.attention, make, change(picture));
}
