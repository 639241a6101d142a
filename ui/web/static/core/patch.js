// What the server sends after the first full picture: the members that changed, by their place in
// it. [place, value] puts a value; [place, n, values] drops n from the front of a list and adds
// values behind.

export function apply(document, changes) {
  for (const [place, ...what] of changes) {
    const names = place.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    const last = names.pop();
    let at = document;
    for (const name of names) at = at[name];
    if (what.length === 1) at[last] = what[0];
    else {
      at[last].splice(0, what[0]);
      at[last].push(...what[1]);
    }
  }
}
