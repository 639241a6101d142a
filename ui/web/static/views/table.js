// The views: one row each. A view more is a row here, a row in ui/view/views.c for its words, and a
// module with open(root, context), which gives { draw(picture), route(), close() }.
import * as now from "./now.js";
import * as slo from "./slo.js";
import * as traffic from "./traffic.js";
import * as drift from "./drift.js";
import * as quality from "./quality.js";
import * as decisions from "./decisions.js";
import * as logs from "./logs.js";
import * as settings from "./settings.js";
import * as own from "./own.js";
import * as help from "./help.js";

// ranged: the view follows the shared time range. hidden: reached by links only.
export const VIEWS = [
  { id: "now", key: "n", title: "Now", module: now, ranged: true },
  { id: "slo", key: "s", title: "SLO", module: slo, ranged: true },
  { id: "traffic", key: "t", title: "Traffic", module: traffic, ranged: true },
  { id: "drift", key: "d", title: "Drift", module: drift, ranged: true },
  { id: "quality", key: "q", title: "Quality", module: quality, ranged: true },
  { id: "decisions", key: "e", title: "Decisions", module: decisions, ranged: false },
  { id: "logs", key: "l", title: "Logs", module: logs, ranged: false },
  { id: "settings", key: "c", title: "Settings", module: settings, ranged: false },
  { id: "own", key: "o", title: "Own", module: own, ranged: true },
  { id: "help", key: "h", title: "Help", module: help, ranged: false },
];

export const viewOf = (id) => VIEWS.find((view) => view.id === id) ?? VIEWS[0];
