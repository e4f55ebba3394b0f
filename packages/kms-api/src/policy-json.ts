// Reads the JSON text of a policy. It refuses what JSON.parse lets pass: a name that stands twice in one object, of which one
// value would be lost silently. It must not know what a policy is made of.
import { findRepeatedName } from "./json-names.js";
import { PolicyError, quote } from "./policy-error.js";

/**
 * Reads JSON.
 * @param text - of bounded length
 * @returns the value
 * @throws PolicyError for a text that is no JSON, or in which a name stands twice in one object
 */
export function parsePolicyJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new PolicyError("", "the policy is no valid JSON");
  }
  const repeated = findRepeatedName(text);
  if (repeated !== undefined) {
    throw new PolicyError(
      "",
      `the name ${quote(repeated)} stands twice in one object: one of the two would be ignored`,
    );
  }
  return value;
}
