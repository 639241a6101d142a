// The moment that is pointed at, shared by everything that has a time axis.
const listeners = new Set();
export const crosshair = { at: null };

export function onCrosshair(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function point(at) {
  if (crosshair.at === at) return;
  crosshair.at = at;
  listeners.forEach((listener) => listener(at));
}
