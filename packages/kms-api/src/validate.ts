// The check of a request against the catalogue: which fields, of which types, within which limits. It must not know who is
// asking, nor what is true of any key.
import type { Action, Field, Limits, Rule } from "./action.js";
import type { ActionName, RequestOf } from "./actions.gen.js";
import { MODELS } from "./actions-table.gen.js";
import { findAction } from "./catalogue.js";
import { ApiError, type ApiErrorCode } from "./errors.js";
import { textCheck } from "./validate-text.js";

type Fields = Readonly<Record<string, unknown>>;

/** Throws an ApiError unless the value passes; `path` is the field's name, for the message. */
type Check = (value: unknown, path: string) => void;

interface CompiledField {
  readonly name: string;
  readonly required: boolean;
  /** Whether an empty text here means that the field was left out. */
  readonly isOptionalText: boolean;
  readonly check: Check;
}

interface CompiledFields {
  readonly list: readonly CompiledField[];
  readonly names: ReadonlySet<string>;
}

// A name from outside goes into a message: no more of it than a parameter's name has.
const MAX_NAME_CHARACTERS = 64;
const NO_LIMITS: Limits = {};

function invalid(code: ApiErrorCode, path: string, takes: string | undefined): ApiError<ApiErrorCode> {
  return new ApiError(code, `The parameter \`${path}\` is not valid. It takes: ${takes ?? "a value of its type"}.`);
}

function wrongType(path: string, expected: string): ApiError<ApiErrorCode> {
  return new ApiError("InvalidParameter", `The parameter \`${path}\` must be ${expected}.`);
}

function unknownField(path: string, name: string): ApiError<ApiErrorCode> {
  const shown = /^[\w.-]+$/.test(name) ? name.slice(0, MAX_NAME_CHARACTERS) : "(not a name)";
  return new ApiError("UnknownParameter", `The parameter \`${path}${shown}\` is not defined for this action.`);
}

function missing(path: string): ApiError<ApiErrorCode> {
  return new ApiError("MissingParameter", `The request is missing the required parameter \`${path}\`.`);
}

function compileText({ limits = NO_LIMITS, takes }: Field): Check {
  const passes = textCheck(limits);
  const code = limits.code ?? "InvalidParameterValue";
  return (value, path) => {
    if (typeof value !== "string") throw wrongType(path, "a string");
    if (!passes(value)) throw invalid(code, path, takes ?? "a text that is not empty");
  };
}

function compileInteger({ limits = NO_LIMITS, takes }: Field): Check {
  const {
    min = Number.MIN_SAFE_INTEGER,
    max = Number.MAX_SAFE_INTEGER,
    oneOf,
    code = "InvalidParameterValue",
  } = limits;
  return (value, path) => {
    // A fraction, or an integer that JSON has rounded already, is of another type than the service's integers.
    if (!Number.isSafeInteger(value)) throw wrongType(path, "an integer");
    const integer = value as number;
    if (integer < min || integer > max || oneOf?.includes(integer) === false) throw invalid(code, path, takes);
  };
}

function checkBoolean(value: unknown, path: string): void {
  if (typeof value !== "boolean") throw wrongType(path, "a boolean");
}

function compileModel(name: string): Check {
  const fields = compileFields(MODELS[name] ?? []);
  return (value, path) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrongType(path, "an object");
    checkFields(fields, value as Fields, `${path}.`);
  };
}

function compileItem(field: Field, type: string): Check {
  switch (type) {
    case "string":
      return compileText(field);
    case "number":
      return compileInteger(field);
    case "boolean":
      return checkBoolean;
    default:
      return compileModel(type);
  }
}

function compileList(field: Field, type: string): Check {
  const { minItems = 0, maxItems = Number.MAX_SAFE_INTEGER, unique = false } = field.limits ?? NO_LIMITS;
  const { countCode = "InvalidParameterValue", duplicateCode = "InvalidParameterValue" } = field.limits ?? NO_LIMITS;
  const checkItem = compileItem(field, type);
  return (value, path) => {
    if (!Array.isArray(value)) throw wrongType(path, "a list");
    // Counted before any item is looked at.
    if (value.length < minItems || value.length > maxItems) throw invalid(countCode, path, field.takes);
    for (let i = 0; i < value.length; i++) checkItem(value[i], `${path}.${i}`);
    if (unique === false) return;
    const seen = new Set<unknown>(value.map((item: unknown) => (unique === true ? item : (item as Fields)[unique])));
    if (seen.size !== value.length) throw invalid(duplicateCode, path, field.takes);
  };
}

function compileField(field: Field): CompiledField {
  const { name, type, required } = field;
  const isList = type.endsWith("[]");
  const check = isList ? compileList(field, type.slice(0, -2)) : compileItem(field, type);
  return { name, required, isOptionalText: type === "string" && !required, check };
}

function compileFields(fields: readonly Field[]): CompiledFields {
  return { list: fields.map(compileField), names: new Set(fields.map(({ name }) => name)) };
}

/** Missing fields first, then unknown ones, then values: what is reported does not depend on the order in the request. */
function checkFields({ list, names }: CompiledFields, record: Fields, prefix: string): void {
  for (const { name, required } of list) {
    if (required && record[name] === undefined) throw missing(prefix + name);
  }
  for (const name of Object.keys(record)) {
    if (!names.has(name)) throw unknownField(prefix, name);
  }
  for (const { name, check, isOptionalText } of list) {
    const value = record[name];
    if (value !== undefined && !(isOptionalText && value === "")) check(value, prefix + name);
  }
}

function checkRules(rules: readonly Rule[], record: Fields): void {
  const isThere = (name: string): boolean => record[name] !== undefined && record[name] !== "";
  for (const rule of rules) {
    if ("anyOf" in rule) {
      if (!rule.anyOf.some(isThere)) throw missing(rule.anyOf.join("` or `"));
    } else if (record[rule.when.field] === rule.when.equals && !isThere(rule.needs)) {
      throw missing(rule.needs);
    }
  }
}

/** The request without its empty optional texts; the same object where there is none. */
function withoutEmptyTexts({ list }: CompiledFields, record: Fields): Fields {
  if (!list.some(({ name, isOptionalText }) => isOptionalText && record[name] === "")) return record;
  const emptied = new Set(list.filter(({ isOptionalText }) => isOptionalText).map(({ name }) => name));
  return Object.fromEntries(Object.entries(record).filter(([name, value]) => value !== "" || !emptied.has(name)));
}

interface CompiledAction {
  readonly fields: CompiledFields;
  readonly rules: readonly Rule[];
}

const compiled = new Map<ActionName, CompiledAction>();

// Compiled at first use, for a program uses few of the actions.
function compiledAction(action: Action): CompiledAction {
  let found = compiled.get(action.name);
  if (found === undefined) {
    found = { fields: compileFields(action.request), rules: action.rules ?? [] };
    compiled.set(action.name, found);
  }
  return found;
}

/**
 * Checks the parameters of an action against the catalogue: required and unknown fields, types, limits, in models and lists as
 * well. The work is bounded by the catalogue's limits, whatever the body holds.
 *
 * An optional text that is empty counts as left out, as it does for the service: it is not in the result. A required text that
 * is empty is there, but out of range. `null` is a wrong type.
 * @param name - the action
 * @param body - the parameters, as JSON gave them
 * @returns the parameters: `body` itself, or a copy without its empty optional texts
 * @throws ApiError `InvalidAction` for no action of the catalogue; `MissingParameter`; `UnknownParameter`; `InvalidParameter`
 * for a wrong type; `InvalidParameterValue`, or the more special code that the catalogue names, for a value out of range. Its
 * message names the field and what it takes, never its value.
 */
export function validateRequest<Name extends ActionName>(name: Name, body: unknown): RequestOf<Name> {
  const action = findAction(name);
  if (action === undefined) throw new ApiError("InvalidAction", "There is no such action.");
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new ApiError("InvalidParameter", "The parameters must be a JSON object.");
  }
  const { fields, rules } = compiledAction(action);
  const record = body as Fields;
  checkFields(fields, record, "");
  checkRules(rules, record);
  return withoutEmptyTexts(fields, record) as RequestOf<Name>;
}
