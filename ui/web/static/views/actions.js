// What a person may do from here. Each says first what will happen, asks for a reason, and leaves a
// row in the ledger.
import { get, send } from "../core/api.js";
import { confirmAction, toast } from "../core/confirm.js";

const percent = (share) => `${Number(share)} %`;

// The split with the canary at `share` percent; the champion gets the rest.
function withCanary(traffic, share) {
  return traffic.map((arm) => (arm.variant === "canary" ? { ...arm, share } : arm.variant === "champion" ? { ...arm, share: 100 - share } : arm));
}

const applySplit = (traffic, reason) => send("/api/v1/traffic", { traffic, reason });

export async function rollBack() {
  const { traffic } = await get("/api/v1/traffic").catch((error) => { toast(error.message); return { traffic: [] }; });
  const canary = traffic.find((arm) => arm.variant === "canary");
  if (!canary) return;
  confirmAction({
    title: "Roll the canary back", verb: "Roll back", danger: true,
    will: `The canary ${canary.model} ${canary.version} goes from ${percent(canary.share)} to 0 %, the champion to 100 %, within a second. Users of the canary get the champion's decisions from then on.`,
    act: ({ reason }) => applySplit(withCanary(traffic, 0), reason),
    done: () => toast("The canary is at 0 %."),
  });
}

export async function changeShares() {
  const { traffic } = await get("/api/v1/traffic").catch((error) => { toast(error.message); return { traffic: [] }; });
  if (traffic.length === 0) return;
  const canary = traffic.find((arm) => arm.variant === "canary");
  const shadows = traffic.filter((arm) => arm.variant === "shadow");
  const fields = [
    ...(canary ? [{ name: "canary", label: `Canary ${canary.model} ${canary.version}, percent`, type: "number", min: 0, max: 100, step: "any", value: canary.share }] : []),
    ...shadows.map((arm, i) => ({ name: `shadow-${i}`, label: `Shadow ${arm.model} ${arm.version} sees, percent`, type: "number", min: 0, max: 100, step: "any", value: arm.share })),
  ];
  const wanted = (values) => {
    let seen = -1;
    return (canary ? withCanary(traffic, Number(values.canary)) : traffic).map((arm) => (arm.variant === "shadow" ? { ...arm, share: Number(values[`shadow-${++seen}`]) } : arm));
  };
  confirmAction({
    title: "Change the shares", verb: "Change", fields,
    will: (values) => `Within a second: ${wanted(values).map((arm) => `${arm.variant} ${arm.model} ${arm.version} ${percent(arm.share)}`).join(", ")}. Only users whose arm changes are moved.`,
    act: ({ reason, ...values }) => applySplit(wanted(values), reason),
    done: () => toast("The shares are changed."),
  });
}

export function retryQuarantined(ids, after = () => {}) {
  confirmAction({
    title: ids.length === 1 ? `Retry event ${ids[0]}` : `Retry ${ids.length} events`, verb: "Retry",
    will: `${ids.length === 1 ? "The event goes" : "These events go"} through the contract again as ${ids.length === 1 ? "it" : "they"} came. What passes now is decided and recorded; what does not stays in quarantine.`,
    act: ({ reason }) => send("/api/v1/quarantine/retry", { ids, reason }),
    done: (said) => { toast(`${said.accepted} decided, ${said.quarantined} quarantined again.`); after(); },
  });
}

export function acknowledge(alert) {
  confirmAction({
    title: `Acknowledge ${alert.name}`, verb: "Acknowledge",
    will: "Everybody sees that you have it, until it is over.",
    act: ({ reason }) => send("/api/v1/alerts/acknowledge", { alert: alert.name, reason }),
    done: () => toast(`${alert.name} is yours.`),
  });
}

export function silence(alert) {
  confirmAction({
    title: `Silence ${alert.name}`, verb: "Silence",
    fields: [{ name: "minutes", label: "Minutes", type: "number", min: 1, max: 10080, value: 60 }],
    will: ({ minutes }) => `${alert.name} is judged and shown, but nobody is told of it for ${minutes} minutes. Then it is told again if it still fires.`,
    act: ({ reason, minutes }) => send("/api/v1/alerts/silence", { alert: alert.name, minutes: Number(minutes), reason }),
    done: () => toast(`${alert.name} is silent.`),
  });
}
