// Copies of documents, bounded: what is sealed into, and opened into, shares nothing with the caller's document. It must not know
// which of its fields are sealed.
import { argumentError, limitError } from "./errors.js";
import { checkHolder, Nesting, setOwn, typeName } from "./field-json.js";
import { isBytes, isDate } from "./field-value.js";

/**
 * Copies a document of plain objects, arrays, texts, numbers, booleans, null, bigints, dates and bytes; members that are undefined
 * stay so. `__proto__` is a key like any other.
 * @param maxNodes - limit of how many objects, arrays and values it has
 * @throws TypeError `ERR_ARGUMENT` for anything else in it, and for one that holds itself; FengniError `ERR_LIMIT`
 */
export function copyDocument(document: unknown, maxNodes: number): object {
  if (typeof document !== "object" || document === null)
    throw argumentError("the document expected an object or array");
  const nesting = new Nesting();
  let nodes = 0;
  const copy = (value: unknown): unknown => {
    nodes += 1;
    if (nodes > maxNodes) throw limitError("number of values in the document", maxNodes, nodes, "raise maxNodes");
    if (typeof value !== "object" || value === null) return checkScalar(value);
    if (isBytes(value)) return Uint8Array.from(value);
    if (isDate(value)) return new Date(value.getTime());
    return nesting.within(value, () => copyHolder(value, copy));
  };
  return copy(document) as object;
}

function checkScalar(value: unknown): unknown {
  if (typeof value === "function" || typeof value === "symbol") {
    throw argumentError(`a document cannot hold a value of type ${typeName(value)}`);
  }
  return value;
}

function copyHolder(holder: object, copy: (value: unknown) => unknown): object {
  checkHolder(holder);
  if (Array.isArray(holder)) return Array.from(holder, (element) => copy(element));
  const members: object = {};
  for (const key of Object.keys(holder)) setOwn(members, key, copy(Reflect.get(holder, key)));
  return members;
}
