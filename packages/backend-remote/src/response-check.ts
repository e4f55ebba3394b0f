// The check of a response against the catalogue: every field that is there has its type. It must not know what a field means.
import { type Action, MODELS, type ResponseField } from "@fengni/kms-api";

type Fields = Record<string, unknown>;

/** Whether a value has a type of the catalogue; `null` fields of models are left out of them, as the service allows both. */
function hasType(value: unknown, type: string): boolean {
  if (type.endsWith("[]")) {
    const itemType = type.slice(0, -2);
    return Array.isArray(value) && value.every((item) => hasType(item, itemType));
  }
  if (type === "string" || type === "number" || type === "boolean") return typeof value === type;
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return wrongField(value as Fields, MODELS[type] ?? []) === undefined;
}

function wrongField(value: Fields, fields: readonly ResponseField[]): string | undefined {
  for (const { name, type } of fields) {
    const field = value[name];
    if (field === undefined) continue;
    if (field === null) delete value[name];
    else if (!hasType(field, type)) return name;
  }
  return undefined;
}

/**
 * Checks a response, and removes fields that are null: unset fields may be either. Fields that the catalogue does not know stay.
 * @param response - changed in place
 * @returns the name of a field of another type than its own; undefined when there is none
 */
export function checkResponse(action: Action, response: object): string | undefined {
  return wrongField(response as Fields, action.response);
}
