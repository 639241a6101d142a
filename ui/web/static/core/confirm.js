// Before anything is changed: what will happen, a reason to give, and where a token is asked for,
// the token. What is said goes into the ledger with the caller's name.
import { hasToken, setToken } from "./api.js";
import { button, el, setText } from "./dom.js";

// `act` gets { reason, fields } and returns what to say when it is done; a refusal is shown and can
// be tried again.
export function confirmAction({ title, will, verb, fields = [], danger = false, act, done = () => {} }) {
  const inputs = fields.map((field) => el("input", { id: `f-${field.name}`, name: field.name, type: field.type ?? "text", value: field.value ?? "",
    min: field.min, max: field.max, step: field.step, required: field.required ?? true, inputmode: field.type === "number" ? "decimal" : null }));
  const reason = el("input", { id: "f-reason", name: "reason", type: "text", required: true, maxlength: "400", autocomplete: "off", placeholder: "why, for the ledger" });
  const token = el("input", { id: "f-token", name: "token", type: "password", autocomplete: "off" });
  const tokenRow = el("div", { class: "field", hidden: true }, el("label", { for: "f-token" }, "Token"), token);
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const effect = el("p", { class: "will" });
  const values = () => Object.fromEntries(inputs.map((input) => [input.name, input.value]));
  const describe = () => setText(effect, typeof will === "function" ? will(values()) : will);
  const go = el("button", { type: "submit", class: danger ? "primary danger" : "primary" }, verb);
  const form = el("form", { method: "dialog" },
    el("h2", { id: "dialog-title" }, title), effect,
    fields.map((field, i) => el("div", { class: "field" }, el("label", { for: `f-${field.name}` }, field.label), inputs[i])),
    el("div", { class: "field" }, el("label", { for: "f-reason" }, "Reason"), reason),
    tokenRow, wrong,
    el("div", { class: "buttons" }, button("Cancel", () => dialog.close()), go));
  const dialog = el("dialog", { "aria-labelledby": "dialog-title", on: { close: () => dialog.remove(), input: describe } }, form);
  const askToken = () => { tokenRow.hidden = false; token.required = true; };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (token.value) setToken(token.value);
    go.disabled = true;
    wrong.hidden = true;
    try {
      const said = await act({ reason: reason.value.trim(), ...values() });
      dialog.close();
      done(said);
    } catch (error) {
      go.disabled = false;
      wrong.hidden = false;
      setText(wrong, `${error.kind === "unset" ? "Not offered" : "Refused"}: ${error.message}`);
      if (error.status === 401) { askToken(); (hasToken() ? token : reason).focus(); }
    }
  });
  document.body.append(dialog);
  describe();
  dialog.showModal();
  (inputs[0] ?? reason).focus();
  return dialog;
}

// A word at the edge of the screen that something was done.
export function toast(text) {
  const node = el("div", { class: "toast", role: "status" }, text);
  document.body.append(node);
  setTimeout(() => node.remove(), 6000);
}
