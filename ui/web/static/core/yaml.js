// A view of one's own as binnacle.yaml has it. JSON's strings are YAML's, too, whatever is in them.
const text = (value) => JSON.stringify(value);

// { name, title, panels: [{ title, expression, kind }] }
export const viewYaml = ({ name, title, panels }) => [
  "views:", `  - name: ${text(name)}`, `    title: ${text(title)}`, "    panels:",
  ...panels.flatMap((one) => [`      - title: ${text(one.title)}`, `        expression: ${text(one.expression)}`, `        kind: ${one.kind}`]),
].join("\n") + "\n";
