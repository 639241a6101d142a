// How every number of the picture is made: one row a kind, which turns the picture into what the
// evidence panel says.
import { absolute } from "./time.js";
import { count, number, quantity } from "./words.js";
import { viewLink } from "./route.js";

function objective(name, { view, slo }) {
  const row = view.objectives.find((item) => item.name === name);
  const raw = slo.find((item) => item.name === name);
  if (!row || !raw) return null;
  return {
    title: `Objective: ${name}`, value: row.now, state: row.state, verdict: `${row.mark} ${row.word}`,
    method: "The share of good events among all in the objective's window. Budget left is 1 − (1 − attainment) / (1 − target). Burn is the error rate of a window over the rate that the target allows.",
    facts: [["want", row.want], ["n", row.n], ["budget left", row.budget], ["window", row.window], ["runs out", row.gone],
      ...(row.burns ?? []).map((burn) => [`burn ${burn.window}`, `${burn.burn}${burn.limit ? `, limit ${burn.limit}×` : ""}${burn.counted === "0" ? "" : ` (${burn.bad} of ${burn.counted})`}`])],
    more: ["open SLO", viewLink("slo")],
  };
}

function arm(name, { view, traffic }) {
  const row = view.arms.find((item) => item.variant === name);
  const raw = traffic.find((item) => item.variant === name);
  if (!row) return null;
  return {
    title: `Arm: ${name}`, value: row.measured, state: "ok",
    method: "Users are assigned by a hash of their id, so one user always gets the same arm. The measured share is of the last minute; quantiles are from a histogram with at most 1 % relative error.",
    facts: [["model", row.model], ["share wanted", row.wanted], ["share measured", row.measured], ["n", row.n], ["window", "last minute"], ["p50", row.p50], ["p95", row.p95], ["p99", row.p99], ["role", raw?.role]],
    more: ["open Traffic", viewLink("traffic")],
  };
}

function drift(name, { view, drift: all }) {
  const row = [...view.drift, view.score_drift, ...view.other_drift].find((item) => item?.name === name);
  const raw = all.find((item) => item.feature === name);
  if (!row && !raw) return null;
  return {
    title: `Drift: ${name}`, value: row?.psi ?? number(raw.psi), state: row?.state ?? raw.state, verdict: row && `${row.mark} ${row.word}`,
    method: "Population stability index: the sum over bins of (live − reference) · ln(live / reference), bins being the reference's deciles or categories. The noise is what no drift at all gives at these sample sizes in 95 of 100 cases.",
    facts: [["noise up to", row?.noise], ["limit", row?.limit ?? number(raw.threshold)], ["n live", row?.n ?? count(raw.n)], ["n reference", row?.n_reference], ["window", "last hour"], ["not judged", row?.waits]],
    more: ["open the feature", viewLink("drift", row?.variant ? { feature: row.feature, variant: row.variant } : { feature: name })],
  };
}

function decided(name, { view, decisions }) {
  const row = view.decisions.find((item) => item.decision === name);
  if (!row) return null;
  return {
    title: `Decided: ${name}`, value: row.share, state: row.unusual ? "ticket" : "ok", verdict: row.unusual ? "further from usual than chance explains" : "",
    method: "The share among all decisions of the last minute. Usual is the share of the 24 hours before; it is called unusual beyond 3 standard errors of both samples.",
    facts: [["usual", row.usual], ["n", row.n], ["of", view.decided], ["window", "last minute"], ["counted", count(decisions[name])]],
    more: ["find them", viewLink("decisions", { decision: name })],
  };
}

function latency(name, { view, latency_us: raw }) {
  if (!view.latency[name]) return null;
  return {
    title: `Latency ${name}`, value: view.latency[name], state: "ok",
    method: "From an event's arrival to its decision, the commit included where the answer waits for it. From a histogram with at most 1 % relative error; a quantile with fewer than 1 / (1 − q) events behind it is not shown.",
    facts: [["n", view.latency.n], ["window", "last minute"], ["exactly", quantity(raw[name], "us")]],
    more: ["open SLO", viewLink("slo")],
  };
}

function rate(name, { view, events_per_s: raw }) {
  return {
    title: "Events a second", value: view.headline.rate, state: "ok",
    method: "Accepted and quarantined events that came in, over the last 10 seconds.",
    facts: [["window", "10 s"], ["exactly", number(raw)], ["events in all", view.events], ["duplicates", view.duplicates], ["errors", view.errors]],
    more: ["open Traffic", viewLink("traffic")],
  };
}

function quarantined(name, { view }) {
  const row = view.quarantine.find((item) => item.reason === name);
  return {
    title: name === "all" ? "Quarantined" : `Quarantined: ${name.replaceAll("_", " ")}`, value: row?.share ?? view.quarantined, state: "ok",
    method: "Events that broke the contract. They are kept as they came and can be tried again; none of them was decided.",
    facts: [["n", row?.n ?? view.quarantined_n], ["of", `${view.events} events`], ["window", "since the start"]],
    more: ["open Quality", viewLink("quality", name === "all" ? {} : { reason: name })],
  };
}

function alert(name, { alerts }) {
  const row = alerts.find((item) => item.name === name);
  if (!row) return null;
  return {
    title: `Alert: ${name}`, value: row.state, state: row.severity, verdict: row.summary,
    method: "A rule over the picture, judged at every tick; it fires when it has held for its time.",
    facts: [["severity", row.severity], ["value", number(row.value)], ["since", row.since ? absolute(Date.parse(row.since)) : ""]],
  };
}

const KINDS = { objective, arm, drift, decided, latency, rate, quarantined, alert };

// "kind:name" as evidence, or null when the picture has no such number.
export function explainNumber(name, picture) {
  const at = name.indexOf(":");
  const kind = KINDS[name.slice(0, at)];
  return kind && picture.view ? kind(name.slice(at + 1), picture) : null;
}
