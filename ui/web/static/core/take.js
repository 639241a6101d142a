// Taking something along: onto the clipboard, or as a file.
import { toast } from "./confirm.js";

// Where there is no clipboard (a page that did not come over TLS) the text is shown, to be selected.
export async function copy(text, what) {
  try {
    await navigator.clipboard.writeText(text);
    toast(`${what} is copied.`);
  } catch {
    toast(text);
  }
}

export function save(name, text, type) {
  const address = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
