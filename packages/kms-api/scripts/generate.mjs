// Writes src/actions.gen.ts (types) and src/actions-table.gen.ts (the table as data) from src/actions.json. Their form is what
// the formatter makes of them, so that neither undoes the other. Run it with `node scripts/generate.mjs`.
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const WIDTH = 120;
const SCALARS = new Set(["string", "number", "boolean"]);

const itemOf = (type) => (type.endsWith("[]") ? type.slice(0, -2) : type);
const typeScriptOf = (type) => (type.endsWith("[]") ? `readonly ${type}` : type);
const english = new Intl.NumberFormat("en-US");

/** Refuses a catalogue that the types could not express, or the validator could not bound. */
function check({ actions, models }) {
  const names = actions.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new Error("an action stands twice");
  if (names.join() !== names.toSorted().join()) throw new Error("the actions are not in the order of their names");
  const fields = (owner, list, seen) => {
    for (const { name, type } of list) {
      if (list.filter((other) => other.name === name).length > 1) throw new Error(`${owner}.${name} stands twice`);
      const item = itemOf(type);
      if (SCALARS.has(item)) continue;
      if (!Object.hasOwn(models, item)) throw new Error(`${owner}.${name} is of the unknown type ${type}`);
      if (seen.includes(item)) throw new Error(`the model ${item} holds itself`);
      fields(item, models[item], [...seen, item]);
    }
  };
  for (const { name, request, response, rules = [] } of actions) {
    fields(name, request, []);
    fields(name, response, []);
    for (const rule of rules) {
      for (const field of rule.anyOf ?? [rule.when.field, rule.needs]) {
        if (!request.some((other) => other.name === field))
          throw new Error(`${name} has a rule on the unknown ${field}`);
      }
    }
  }
}

/** The sentence that a field's docstring says of its limits; empty when there is none. */
function describe(limits = {}) {
  const range = (least, most, unit) => {
    if (least !== undefined && most !== undefined) return `${english.format(least)} to ${english.format(most)}${unit}`;
    if (most !== undefined) return `at most ${english.format(most)}${unit}`;
    return least === undefined ? "" : `at least ${english.format(least)}${unit}`;
  };
  const encodings = { base64: "base64", "json-strings": "a JSON object of strings, as text", "pem-public-key": "PEM" };
  const parts = [
    encodings[limits.encoding] ?? "",
    limits.oneOf === undefined ? "" : `one of ${limits.oneOf.map((value) => `\`${value}\``).join(", ")}`,
    limits.pattern === undefined ? "" : `matches \`${limits.pattern}\``,
    range(limits.min, limits.max, ""),
    range(limits.minChars, limits.maxChars, " characters"),
    limits.bytes === undefined ? "" : `${english.format(limits.bytes)} bytes`,
    range(limits.minBytes, limits.maxBytes, " bytes"),
    range(limits.minItems, limits.maxItems, " items"),
    limits.unique === undefined ? "" : limits.unique === true ? "no item twice" : `no ${limits.unique} twice`,
    limits.default === undefined ? "" : `default \`${limits.default}\``,
    limits.note ?? "",
  ];
  const text = parts.filter((part) => part !== "").join("; ");
  if (text.includes("*/")) throw new Error(`a limit would end its comment: ${text}`);
  return text;
}

function interfaceOf(name, comment, fields, isRequired) {
  if (fields.length === 0)
    return `/** ${comment} It has no fields. */\nexport type ${name} = Readonly<Record<string, never>>;\n`;
  const lines = fields.flatMap((field) => {
    const text = describe(field.limits);
    const member = `  readonly ${field.name}${isRequired(field) ? "" : "?"}: ${typeScriptOf(field.type)};`;
    return text === "" ? [member] : [`  /** ${text[0].toUpperCase()}${text.slice(1)}. */`, member];
  });
  return `/** ${comment} */\nexport interface ${name} {\n${lines.join("\n")}\n}\n`;
}

function typesOf({ actions, models }) {
  const parts = [
    "// Generated from actions.json by scripts/generate.mjs; do not edit. The type of every action's request and response.\n",
  ];
  for (const [name, fields] of Object.entries(models)) {
    parts.push(interfaceOf(name, `The model ${name}.`, fields, ({ required }) => required));
  }
  for (const { name, form, note, request, response } of actions) {
    const ours = form === "ours" ? " Its form is this project's: none is public." : "";
    const remark = note === undefined ? "" : ` ${note[0].toUpperCase()}${note.slice(1)}.`;
    parts.push(
      interfaceOf(`${name}Request`, `Request of ${name}.${ours}${remark}`, request, ({ required }) => required),
    );
    parts.push(
      interfaceOf(
        `${name}Response`,
        `Response of ${name}.${ours}`,
        response,
        ({ name: field }) => field === "RequestId",
      ),
    );
  }
  const map = actions.map(
    ({ name }) => `  readonly ${name}: { readonly request: ${name}Request; readonly response: ${name}Response };`,
  );
  parts.push(
    `/** The request and the response of every action. */\nexport interface ActionMap {\n${map.map(wrapMember).join("\n")}\n}\n`,
    "/** The name of every action. */\nexport type ActionName = keyof ActionMap;\n",
    '/** The request of an action. */\nexport type RequestOf<Name extends ActionName> = ActionMap[Name]["request"];\n',
    '/** The response of an action, with its `RequestId`. */\nexport type ResponseOf<Name extends ActionName> = ActionMap[Name]["response"];\n',
    '/** What an action answers, without the `RequestId` that whoever serves it adds. */\nexport type ResultOf<Name extends ActionName> = Omit<ResponseOf<Name>, "RequestId">;\n',
  );
  return parts.join("\n");
}

/** Breaks a member of the map that is too long for one line as the formatter does. */
function wrapMember(line) {
  if (line.length <= WIDTH) return line;
  const [, head, request, response] = /^( {2}readonly \w+: \{) (.*?;) (.*?) \};$/.exec(line);
  return `${head}\n    ${request}\n    ${response};\n  };`;
}

const propertyName = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));

function inline(value) {
  if (Array.isArray(value)) return `[${value.map(inline).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value).map(([name, member]) => `${propertyName(name)}: ${inline(member)}`);
  return members.length === 0 ? "{}" : `{ ${members.join(", ")} }`;
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/** Whether the formatter breaks a list whatever its length: several objects of several members each. */
const breaksAlways = (value) =>
  Array.isArray(value) && value.length > 1 && value.every((item) => isObject(item) && Object.keys(item).length > 1);

const breaks = (value) =>
  breaksAlways(value) || (typeof value === "object" && value !== null && Object.values(value).some(breaks));

/** Writes a value as the formatter does. `before` is what stands on its line already; a comma or semicolon follows. */
function literal(value, indent, before) {
  const text = inline(value);
  if (typeof value !== "object" || value === null) return text;
  if (!breaks(value) && indent.length + before + text.length + 1 <= WIDTH) return text;
  const deeper = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => `${deeper}${literal(item, deeper, 0)},\n`).join("")}${indent}]`;
  }
  const members = Object.entries(value).map(([name, member]) => {
    const key = `${propertyName(name)}: `;
    const text = literal(member, deeper, key.length);
    // A text that is too long for its line stands on one of its own.
    const isLong = typeof member === "string" && deeper.length + key.length + text.length + 1 > WIDTH;
    return isLong ? `${deeper}${key.trimEnd()}\n${deeper}  ${text},\n` : `${deeper}${key}${text},\n`;
  });
  return `{\n${members.join("")}${indent}}`;
}

function tableOf({ apiVersion, actions, models }) {
  const words = (fields) =>
    fields.map((field) => {
      const takes = describe(field.limits);
      return takes === "" ? field : { ...field, takes };
    });
  const rows = actions
    .map((action) => `  ${literal({ ...action, request: words(action.request) }, "  ", 0)},\n`)
    .join("");
  const described = Object.fromEntries(Object.entries(models).map(([name, fields]) => [name, words(fields)]));
  return [
    "// Generated from actions.json by scripts/generate.mjs; do not edit. The catalogue as data.",
    'import type { Action, Field } from "./action.js";',
    "",
    "/** The version of the API that the catalogue describes: the value of `X-TC-Version`. */",
    `export const API_VERSION = ${JSON.stringify(apiVersion)};`,
    "",
    "/** Every action, in the order of their names. */",
    `export const ACTIONS: readonly Action[] = [\n${rows}];`,
    "",
    "/** The fields of every model that requests and responses hold. */",
    `export const MODELS: Readonly<Record<string, readonly Field[]>> = ${literal(described, "", 66)};`,
    "",
  ].join("\n");
}

/** Makes the generated files: their paths within the package, and their texts. */
export function generate(catalogue) {
  check(catalogue);
  return { "src/actions.gen.ts": typesOf(catalogue), "src/actions-table.gen.ts": tableOf(catalogue) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = new URL("..", import.meta.url);
  const catalogue = JSON.parse(readFileSync(new URL("src/actions.json", root), "utf8"));
  for (const [path, text] of Object.entries(generate(catalogue))) writeFileSync(new URL(path, root), text);
}
