// Answers of the API for pages in front of made-up pictures: what each route gives when all is well,
// and what becomes of the page when it does not.

export const HOSTILE = `<img src=x onerror=alert(1)>"'&\u202e\u001b[31m`;
const LONG = "x".repeat(10240);

const MINUTE = 60000;
const wave = (at, mean, swing) => mean * (1 + swing * Math.sin(at / 400000));
const text = (hostile, plain) => (hostile ? `${HOSTILE}${plain}` : plain);

const UNITS = { psi: "", share: "ratio", events_per_s: "per_s" };
const LABELS = { objective: ["latency", "availability"], variant: ["champion", "canary", "shadow"], feature: ["tx_amount", "country", "device"] };

const LEVELS = { events_per_s: 12480, events: 12480, latency_measured: 12400, latency_good_ratio: 0.998, error_ratio: 0.001, fresh_ratio: 0.9995, steady_ratio: 0.999, shadow_scored: 640, shadow_disagreement_ratio: 0.04, shadow_distance_mean: 0.02 };

function history(query, hostile) {
  const from = Number(query.get("from")), to = Number(query.get("to"));
  const step = Math.max(1000, Math.ceil((to - from) / 120000) * 1000);
  const by = query.get("by");
  const of = by ? LABELS[by] ?? ["one"] : [""];
  const series = query.get("series").split(",").flatMap((name) => of.map((label, i) => ({
    name, unit: UNITS[name] ?? (name.endsWith("_us") ? "us" : "ratio"), labels: by ? { [by]: text(hostile && i === 0, label) } : {},
    points: Array.from({ length: Math.floor((to - from) / step) }, (_, k) => [from + k * step, k === 20 ? null : wave(from + k * step + i * 90000, LEVELS[name] ?? (name.endsWith("_us") ? 900 * (i + 1) : 0.3), name in LEVELS && LEVELS[name] <= 1 ? 0.0005 : 0.3)]),
  })));
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString(), step_s: step / 1000, series };
}

function heatmap(query) {
  const from = Number(query.get("from")), to = Number(query.get("to")), step = Number(query.get("step")) * 1000;
  const edges = query.get("of") === "score" ? Array.from({ length: 20 }, (_, i) => i / 20) : Array.from({ length: 16 }, (_, i) => 16 * 2 ** i);
  // Nobody counted before the start, nor for a while later.
  const unseen = (k) => k < 9 || (k > 20 && k < 24);
  const cells = Array.from({ length: Math.floor((to - from) / step) }, (_, k) => [from + k * step, unseen(k) ? null : edges.map((_, i) => Math.round(4000 * Math.exp(-((i - 5 - Math.sin(k / 9)) ** 2) / 3)))]);
  return { of: query.get("of"), step_s: step / 1000, edges, cells };
}

const changes = (hostile) => ({ changes: [
  { at: new Date(Date.now() - 14 * MINUTE).toISOString(), kind: "split", what: text(hostile, "canary fraud 13: 25 %, champion fraud 12: 75 %"), who: "shift-2", reason: text(hostile, "more traffic for the canary") },
  { at: new Date(Date.now() - 12 * MINUTE).toISOString(), kind: "alert", what: "latency-burn fires", who: null, reason: null },
  { at: new Date(Date.now() - 50 * MINUTE).toISOString(), kind: "start", what: "binnacle started", who: null, reason: null },
] });

export function row(i, hostile) {
  const at = new Date(Date.now() - i * 1700).toISOString();
  return { event_id: text(hostile, `01JD00000000000000000${10000 + i}`), decision: ["approve", "review", "decline"][i % 3], score: 0.01 + (i % 30) / 31, reasons: [
    { code: text(hostile, "R-AMOUNT"), feature: "tx_amount", value: 4200, contribution: 1.31 }, { code: "R-COUNTRY", feature: text(hostile, "country_US"), value: null, contribution: -0.4 }],
  rule: text(hostile, i % 3 ? "high-score" : "default"), model: { name: "fraud", version: "12", variant: i % 4 ? "champion" : "canary" }, trace_id: "0af7651916cd43dd8448eb211c80319c", latency_us: 85, ledger_index: 1000 - i, duplicate: false,
  event_ts: at, decided_at: at, entity: text(hostile, "p-2c554f65e88b6a5d"), margin: 2.2, features: { tx_amount: 4200, country_US: null, [text(hostile, "hour")]: 3 }, input: { event_id: "e", user_id: "p-1", note: hostile ? LONG : "plain", country: "US" } };
}

function decisions(query, hostile) {
  const first = query.get("cursor") ? 1000 - Number(query.get("cursor")) + 1 : 0;
  const limit = Number(query.get("limit"));
  const rows = Array.from({ length: limit }, (_, i) => row(first + i, hostile)).filter((one) => !query.get("decision") || one.decision === query.get("decision"));
  return { decisions: query.get("event_id") === "nobody" ? [] : rows, next_cursor: first >= 100 || query.get("event_id") ? null : 1000 - first - limit + 1 };
}

const record = (query, hostile) => ({ row: { ...row(1, hostile), event_id: query.get("event_id") }, reasons: row(1, hostile).reasons, bias: 1.29, reasons_problem: null,
  rules: [{ name: "blocked", when: "in_list('blocked', user_id)", decision: "decline", code: "R-BLOCKED", state: "passed" }, { name: text(hostile, "high-score"), when: "score >= 0.3", decision: "review", code: null, state: "fired" }, { name: "default", when: null, decision: "approve", code: null, state: "not reached" }],
  proof: { leaf_index: 999, tree_size: 1400, leaf_b64: "AA==", leaf_hash: "ab".repeat(32), path: ["cd".repeat(32), "ef".repeat(32)], head: { tree_size: 1400, timestamp_ms: Date.now() - 4000, root: "01".repeat(32), key_id: "cbc2a810537c74f7", signature_b64: "sXQZ6fpX4WVtE" } }, proof_problem: null });

const quarantine = (query, hostile) => ({ quarantine: Array.from({ length: 12 }, (_, i) => ({ quarantine_id: 40 - i, received_at: new Date(Date.now() - i * MINUTE).toISOString(), status: i === 3 ? "retried" : "open", errors: [{ field: text(hostile, "country"), reason: "enum" }], source: "kafka" })), next_cursor: null });

const settings = (hostile) => ({ folder: "/etc/binnacle", settings: [
  { key: "listen", value: "127.0.0.1:8420", secret: false, from: "default", file: null, line: null, column: null, help: "where the page and the API are served" },
  { key: "service", value: text(hostile, "fraud-eu"), secret: false, from: "file", file: "binnacle.yaml", line: 1, column: 1, help: "the name of the service" },
  { key: "channels[0].url", value: null, secret: true, from: "file", file: "binnacle.yaml", line: 9, column: 3, help: null }] });

const logs = (query, hostile) => ({ newest: 3, lines: [["info", "start", "binnacle 0.1.0"], ["warn", "few_viewers", text(hostile, "the limit leaves room for 12")], ["error", "disk", hostile ? LONG : "the disk is full"]]
  .map(([level, event, message], i) => ({ seq: i + 1, time: new Date(Date.now() - 3000 + i).toISOString(), level, component: "web", event, message })).filter((line) => line.seq > Number(query.get("after") ?? 0)) });

const drift = (query, hostile) => ({ model: null, feature: query.get("feature"), since: new Date(Date.now() - 40 * MINUTE).toISOString(), methods: [{ method: "psi", statistic: 0.212, expected_null: 0.004, p_value: null }, { method: "ks", statistic: 0.11, expected_null: 0.01, p_value: 1e-9 }],
  bins: Array.from({ length: 10 }, (_, i) => ({ label: text(hostile && i === 0, `${i * 10} - ${i * 10 + 10}`), reference: 0.1, live: 0.02 + 0.016 * i, contribution: 0.01 * i })) });

const quality = (hostile) => ({ state: "ticket", anomalies: [{ series: "events_per_s", state: "ok", why: null, value: 12480, usual: 12000, low: 9000, high: 15000, z: 0.4 }, { series: "error_ratio", state: "nodata", why: "too few hours are known yet", value: 0, usual: null, low: null, high: null, z: null }],
  freshness: { state: "ok", age_p50_s: 1, age_p95_s: 2.5, feature_lag_s: 0.07 }, duplicates: { n: 2, ratio: 0.0001 }, schema_versions: [{ contract: text(hostile, "payments"), version: "7", n: 1199 }], fields: [{ field: text(hostile, "country"), state: "ticket", null_ratio: 0.031, usual_null_ratio: 0.002, invalid_ratio: 0.001, distinct: 7, n: 44812 }, { field: "device", state: "ok", null_ratio: 0, usual_ratio: 0, n: 44812 }] });

const traffic = { traffic: [{ variant: "champion", model: "fraud", version: "12", share: 75 }, { variant: "canary", model: "fraud", version: "13", share: 25 }] };

const FIGURES = ["auc", "average_precision", "brier", "log_loss", "ece", "precision", "recall", "f1"];
const figures = (value) => ({ n: value === null ? 0 : 44000, positives: 900, ...Object.fromEntries(FIGURES.map((name) => [name, value])), ci: Object.fromEntries(FIGURES.map((name) => [name, value === null ? null : [value - 0.02, value + 0.01]])),
  confusion: { true_positive: 1, false_positive: 1, false_negative: 1, true_negative: 1 }, precision_at_k: { k: 100, days: 1, value, ci: null }, label_delay_s: { p50: 86400, p95: 259200, max: 604800 } });
const DAY = 86400000;
const days = Array.from({ length: 9 }, (_, i) => new Date((Math.floor(Date.now() / DAY) - i) * DAY).toISOString().replace(".000", ""));

// The two newest days have an estimate and no truth yet.
const performance = (query, hostile) => ({ from: null, to: null, period_s: 86400, predicted_positive: "decision is not approve", cohort_field: null, labels: { joined: 396000, repeated: 3, corrected: 12, unmatched: 1, kept: 396000, evicted: 0, rows_behind: 0 }, decided: 500000, labelled: 396000, coverage_ratio: 0.79, all: figures(0.9), ci_method: { auc: "delong" },
  groups: query.get("by") === "variant" ? ["champion", "canary", "shadow"].map((value, i) => ({ by: "variant", value: text(hostile && i === 0, value), decided: 1000, labelled: 900, coverage_ratio: 0.9, ...figures(i === 2 ? null : 0.9 - i / 50) }))
    : days.map((value, i) => ({ by: "time", value, decided: 50000, labelled: i < 2 ? 0 : 44000, coverage_ratio: 0.8, ...figures(i < 2 ? null : 0.9 - i / 200) })),
  estimates: { n_reference: 44000, calibrated: true, periods: days.map((from, i) => ({ from, to: from, variant: "champion", decided: 50000, labelled: 0, sample: 1000, over: i > 0, metrics: ["roc_auc", "average_precision", "f1", "precision", "recall"].map((metric) => ({ metric, estimated: 0.91, lower: 0.86, upper: 0.95, realized: null })) })),
    track_record: [{ metric: "roc_auc", periods: 7, mean_abs_error: 0.012, bias: 0.004, within_band: 7 }] },
  concept_drift: { method: text(hostile, "adwin"), n: 396000, detected: 1, detections: [{ at: new Date(Date.now() - DAY).toISOString(), position: 42000 }] } });

const evaluated = (query, hostile) => {
  query.set("series", query.get("expression"));
  return history(query, hostile);
};

const names = { series: ["latency_p95_us", "events_per_s"].map((name) => ({ name, unit: name.endsWith("us") ? "us" : "per_s", help: name })) };

const ANSWERS = {
  "/api/v1/history/series": () => names,
  "/api/v1/panel": evaluated, "/api/v1/history": history, "/api/v1/heatmap": heatmap, "/api/v1/changes": (_, hostile) => changes(hostile),
  "/api/v1/decisions": decisions, "/api/v1/decision/record": record, "/api/v1/quarantine": quarantine,
  "/api/v1/settings": (_, hostile) => settings(hostile), "/api/v1/logs": logs, "/api/v1/drift": drift,
  "/api/v1/quality": (_, hostile) => quality(hostile), "/api/v1/traffic": () => traffic, "/api/v1/performance": performance,
};

const PROBLEMS = { 401: "A token is needed", 429: "Too many requests", 501: "Not offered", 503: "Overloaded" };

// mode: "ok", "hostile", a status, or "lost". Posts are kept in `page.posts` and answered by `posts`.
export async function answer(page, mode = "ok", posts = () => ({ status: 200, json: {} })) {
  page.posts = [];
  await page.route(/\/api\/v1\/(?!snapshot)/, (route) => {
    const request = route.request();
    const address = new URL(request.url());
    if (request.method() !== "GET") {
      page.posts.push({ path: address.pathname, body: request.postDataJSON(), headers: request.headers() });
      return route.fulfill(posts(page.posts.at(-1)));
    }
    if (mode === "lost") return route.abort();
    if (PROBLEMS[mode]) return route.fulfill({ status: mode, contentType: "application/problem+json", headers: mode === 429 ? { "retry-after": "1" } : {}, body: JSON.stringify({ type: "about:blank", title: PROBLEMS[mode], status: mode, detail: `${PROBLEMS[mode].toLowerCase()} here` }) });
    const give = ANSWERS[address.pathname];
    return give ? route.fulfill({ json: give(address.searchParams, mode === "hostile") }) : route.continue();
  });
}
