// The types of policies: as documents in JSON, and in the form that is evaluated. It must not know how either is made or used.
import type { ConditionTest } from "./policy-conditions.js";
import type { ActionPattern, ResourcePattern } from "./policy-match.js";

/** The effect of a statement that applies. */
export type Effect = "allow" | "deny";

/** One or several values of a condition key. */
export type ConditionValues = string | number | boolean | readonly (string | number | boolean)[];

/** A condition block: operator, then key, then values. */
export type ConditionDocument = Readonly<Record<string, Readonly<Record<string, ConditionValues>>>>;

/** A statement as it stands in the JSON of a policy. */
export interface StatementDocument {
  readonly effect: Effect;
  readonly action: string | readonly string[];
  readonly resource: string | readonly string[];
  readonly condition?: ConditionDocument;
}

/** A policy as JSON. */
export interface PolicyDocument {
  readonly version: "2.0";
  readonly statement: readonly StatementDocument[];
}

/** A statement that was read and checked. It applies when an action, a resource and every condition match. */
export interface Statement {
  readonly effect: Effect;
  readonly actions: readonly ActionPattern[];
  readonly resources: readonly ResourcePattern[];
  readonly conditions: readonly ConditionTest[];
}

/** A policy that was read and checked; `parsePolicy` makes it. */
export interface Policy {
  readonly statements: readonly Statement[];
  /** The length of its JSON text. */
  readonly characters: number;
}
