// The parameters of a GET request: `A.0.B=value` back to lists and objects, each value in the type that the catalogue gives its
// field. It must not know what a value may be.
import { type Action, ApiError, type Field, MODELS } from "@fengni/kms-api";

const MAX_PAIRS = 2_000;
const MAX_INDEX = 1_000;

interface Tree {
  [name: string]: Tree | string;
}

/** The parameters as they would stand in a JSON body. @throws ApiError `InvalidParameter`, `UnknownParameter` */
export function flattenQuery(query: string, action: Action): unknown {
  if (query === "") return {};
  const pairs = query.split("&");
  if (pairs.length > MAX_PAIRS) throw new ApiError("InvalidParameter", "The query has too many parameters.");
  const tree: Tree = Object.create(null) as Tree;
  for (const pair of pairs) {
    const equals = pair.indexOf("=");
    const name = decode(equals < 0 ? pair : pair.slice(0, equals));
    put(tree, name.split("."), decode(equals < 0 ? "" : pair.slice(equals + 1)));
  }
  return objectOf(tree, action.request);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new ApiError("InvalidParameter", "The query is not well formed.");
  }
}

function put(tree: Tree, path: readonly string[], value: string): void {
  let at = tree;
  for (const name of path.slice(0, -1)) {
    const next = at[name] ?? (Object.create(null) as Tree);
    if (typeof next === "string") throw new ApiError("InvalidParameter", "A parameter is given twice.");
    at[name] = next;
    at = next;
  }
  const last = path[path.length - 1] as string;
  if (last in at) throw new ApiError("InvalidParameter", "A parameter is given twice.");
  at[last] = value;
}

function objectOf(tree: Tree, fields: readonly Field[]): Record<string, unknown> {
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, value] of Object.entries(tree)) {
    const field = fields.find((candidate) => candidate.name === name);
    // What is not known stays as it is: the check of the request tells the client.
    result[name] = field === undefined ? value : typedValueOf(value, field.type);
  }
  return result;
}

function typedValueOf(value: Tree | string, type: string): unknown {
  if (type.endsWith("[]")) return listOf(value, type.slice(0, -2));
  if (typeof value !== "string") {
    const model = (MODELS as Readonly<Record<string, readonly Field[]>>)[type];
    return model === undefined ? value : objectOf(value, model);
  }
  if (type === "number" && /^-?[0-9]{1,16}$/.test(value)) return Number(value);
  if (type === "boolean" && (value === "true" || value === "false")) return value === "true";
  return value;
}

function listOf(value: Tree | string, type: string): unknown {
  if (typeof value === "string") return value;
  const indexes = Object.keys(value);
  const list: unknown[] = [];
  for (let index = 0; index < indexes.length; index++) {
    const item = value[String(index)];
    if (item === undefined || index > MAX_INDEX) {
      throw new ApiError("InvalidParameter", "The items of a list must be numbered from 0.");
    }
    list.push(typedValueOf(item, type));
  }
  return list;
}
