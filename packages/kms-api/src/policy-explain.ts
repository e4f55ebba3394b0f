// Explains a decision: which statement decided, and for each other one why it does not apply. It decides nothing itself, so that
// it cannot disagree with evaluate, and must not know how the explanation is shown.

import type { Effect, Policy, Statement } from "./policy.js";
import { type ConditionOutcome, type ContextValue, contextValue } from "./policy-conditions.js";
import {
  type AccessRequest,
  type Decision,
  evaluate,
  type PolicySet,
  type PolicySource,
  type StatementPosition,
} from "./policy-evaluate.js";
import { explanationText } from "./policy-explain-text.js";
import {
  foldRequestAction,
  parseResourceName,
  type ResourceDifference,
  type ResourceName,
  type ResourcePattern,
  resourceDifference,
} from "./policy-match.js";

/** Why one resource pattern does not cover the resource: the first segment that differs, and what stands there. */
export interface ResourceMismatch {
  readonly pattern: string;
  readonly difference: ResourceDifference;
  /** What the pattern has there. */
  readonly wanted: string;
  /** What the request has there. */
  readonly given: string;
}

/** A condition that is not met. */
export interface ConditionFailure {
  /** As written, for example `for_any_value:string_equal`. */
  readonly operator: string;
  readonly key: string;
  /** The policy's values. */
  readonly wanted: readonly string[];
  /** The request's value; left out when the key is absent. */
  readonly given?: string | readonly string[];
  readonly outcome: Exclude<ConditionOutcome, "met">;
}

/** Why a statement does not apply: the first of action, resource and conditions that fails; of conditions, all that fail. */
export type Mismatch =
  | { readonly part: "action"; readonly wanted: readonly string[]; readonly given: string }
  | { readonly part: "resource"; readonly patterns: readonly ResourceMismatch[] }
  | { readonly part: "condition"; readonly failures: readonly ConditionFailure[] };

/** What one statement says of one resource. */
export interface StatementExplanation extends StatementPosition {
  readonly effect: Effect;
  /** Left out when the statement applies. */
  readonly mismatch?: Mismatch;
}

/** The decision for one resource. */
export interface ResourceExplanation extends Decision {
  /** Whether the action is authorized as a whole: the resource is `*`, whatever key the call names. */
  readonly isOperationLevel: boolean;
  /** Every statement of the set, in order. */
  readonly statements: readonly StatementExplanation[];
}

/** A decision with its reasons. */
export interface Explanation extends Decision {
  readonly action: string;
  /** One for each resource of the request, in order. */
  readonly resources: readonly ResourceExplanation[];
  /** The same for people: lines of plain English. */
  readonly text: string;
}

function patternMismatch(
  pattern: ResourcePattern,
  name: ResourceName,
  difference: ResourceDifference,
): ResourceMismatch {
  const wanted = pattern.segments;
  const given = name.segments;
  if (difference === "operation-level" || wanted === undefined || given === undefined) {
    return { pattern: pattern.text, difference, wanted: pattern.text, given: name.text };
  }
  return { pattern: pattern.text, difference, wanted: wanted[difference].text, given: given[difference] };
}

function conditionFailures(statement: Statement, context: AccessRequest["context"]): ConditionFailure[] {
  return statement.conditions.flatMap(({ operator, key, values, test }) => {
    const given: ContextValue = contextValue(context, key);
    const outcome = test(given);
    if (outcome === "met") return [];
    return [{ operator, key, wanted: values, ...(given === undefined ? {} : { given }), outcome }];
  });
}

function mismatchOf(statement: Statement, request: AccessRequest, resource: ResourceName): Mismatch | undefined {
  const action = foldRequestAction(request.action);
  if (!statement.actions.some((pattern) => pattern.matches(action))) {
    return { part: "action", wanted: statement.actions.map(({ text }) => text), given: request.action };
  }
  const owner = `uin/${request.caller.ownerUin}`;
  const patterns: ResourceMismatch[] = [];
  for (const pattern of statement.resources) {
    const difference = resourceDifference(pattern, resource, owner);
    if (difference !== undefined) patterns.push(patternMismatch(pattern, resource, difference));
  }
  if (patterns.length === statement.resources.length) return { part: "resource", patterns };
  const failures = conditionFailures(statement, request.context);
  return failures.length === 0 ? undefined : { part: "condition", failures };
}

function partsOf(set: PolicySet): [PolicySource, readonly Policy[]][] {
  const parts: [PolicySource, readonly Policy[]][] = [["policies", set.policies]];
  if (set.boundary !== undefined) parts.push(["boundary", [set.boundary]]);
  if (set.session !== undefined) parts.push(["session", [set.session]]);
  return parts;
}

function explainResource(set: PolicySet, request: AccessRequest, text: string): ResourceExplanation {
  const resource = parseResourceName(text);
  const statements = partsOf(set).flatMap(([source, policies]) =>
    policies.flatMap((policy, policyIndex) =>
      policy.statements.map((statement, index): StatementExplanation => {
        const mismatch = mismatchOf(statement, request, resource);
        const position = { source, policy: policyIndex, statement: index, effect: statement.effect };
        return mismatch === undefined ? position : { ...position, mismatch };
      }),
    ),
  );
  const decision = evaluate(set, { ...request, resources: [text] });
  return { ...decision, isOperationLevel: resource.segments === undefined, statements };
}

/**
 * Explains what {@link evaluate} decides.
 * @param set - the policies
 * @param request - the request
 * @returns the same decision, what each statement says of each resource, and the whole as text
 * @throws TypeError `ERR_ARGUMENT` as {@link evaluate}
 */
export function explain(set: PolicySet, request: AccessRequest): Explanation {
  const decision = evaluate(set, request);
  const resources = request.resources.map((text) => explainResource(set, request, text));
  return { ...decision, action: request.action, resources, text: explanationText(request.action, resources) };
}
