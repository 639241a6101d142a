// Tables as files: RFC 4180, and no cell that a spreadsheet would run.
import { save } from "./take.js";

const cell = (value) => {
  const text = value === null || value === undefined ? "" : String(value);
  const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
};

const toCsv = (columns, rows) => [columns, ...rows].map((row) => row.map(cell).join(",")).join("\r\n") + "\r\n";

export const download = (name, columns, rows) => save(`${name.replace(/[^a-z0-9_-]+/gi, "-")}.csv`, toCsv(columns, rows), "text/csv");
