// What was changed, by whom and why, on the time axis that the crosshair crosses and as a list.
import { el, setText } from "../core/dom.js";
import { onCrosshair } from "../core/crosshair.js";
import { panel } from "../core/panel.js";
import { drawnBounds } from "../core/begin.js";
import { absolute, moment } from "../core/time.js";
import { nowOf } from "../core/history.js";

const MOST = 12;

export function makeTimeline(title, options) {
  const state = { rows: [], from: 0, to: 1 };
  const table = () => ({ columns: ["at", "kind", "what", "who", "reason"], rows: state.rows.map((row) => [new Date(row.ms).toISOString(), row.kind, row.what, row.who ?? "", row.reason ?? ""]) });
  const made = panel(title, { table, ...options });
  const line = el("div", { class: "timeline", "aria-hidden": "true" });
  const cross = el("i", { class: "timeline-cross", hidden: true });
  const rows = el("ol", { class: "changes-list" });
  const none = el("p", { class: "empty" }, "No changes are known in this range.");
  const axis = el("div", { class: "axis timeline-axis", "aria-hidden": "true" }, el("span"), el("span"));
  made.body.append(line, axis, rows, none);
  const unfollow = onCrosshair((at) => {
    cross.hidden = at === null || at < state.from || at > state.to;
    if (!cross.hidden) cross.style.left = `${(at - state.from) / (state.to - state.from) * 100}%`;
  });
  return { ...made, state, line, axis, cross, rows, none, destroy: unfollow };
}

export function drawTimeline(timeline, changes, picture) {
  const { from, to } = drawnBounds(nowOf(picture));
  const rows = [...changes].sort((a, b) => b.ms - a.ms);
  Object.assign(timeline.state, { rows, from, to });
  timeline.line.replaceChildren(timeline.cross, ...rows.map((row) => {
    const mark = el("b", { class: `change change-${row.kind}` });
    mark.style.left = `${Math.min(100, Math.max(0, (row.ms - from) / (to - from) * 100))}%`;
    return mark;
  }));
  timeline.line.hidden = timeline.axis.hidden = rows.length === 0;
  [from, to].forEach((at, i) => setText(timeline.axis.children[i], moment(at)));
  timeline.none.hidden = rows.length > 0;
  setText(timeline.note, rows.length > MOST ? `the last ${MOST} of ${rows.length}` : "");
  timeline.rows.replaceChildren(...rows.slice(0, MOST).map((row) => el("li", {},
    el("time", { class: "quiet", datetime: new Date(row.ms).toISOString(), title: absolute(row.ms) }, moment(row.ms)),
    el("span", { class: `kind kind-${row.kind}` }, row.kind), el("span", { class: "what" }, row.what ?? ""),
    el("span", { class: "quiet" }, [row.who, row.reason].filter(Boolean).join(": ")))));
}
