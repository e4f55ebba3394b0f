// Decides whether a request is allowed. Deny by default: only a statement that matches in every part opens anything. It must not
// know where policies, requests or keys come from.

import type { Policy, Statement } from "./policy.js";
import { contextValue } from "./policy-conditions.js";
import { argumentError } from "./policy-error.js";
import { foldRequestAction, parseResourceName, type ResourceName, resourceDifference } from "./policy-match.js";

/** Who calls. */
export interface Caller {
  /** The root account that the caller belongs to; for an assumed role, the one that owns the role. */
  readonly ownerUin: string;
  /** The caller's own number; the same as `ownerUin` for the root account itself. */
  readonly uin: string;
  /** The name of the assumed role, if any: a role is never the root account, whatever its number. */
  readonly roleName?: string;
}

/** What is to be decided. */
export interface AccessRequest {
  readonly caller: Caller;
  /** For example `kms:Encrypt`. */
  readonly action: string;
  /** What the action presents, one for each key; all of them must be allowed. At least one. */
  readonly resources: readonly string[];
  /** The condition keys that are present. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** Every policy that bears on a request. */
export interface PolicySet {
  /** The user's own and those of all its groups, or the role's. */
  readonly policies: readonly Policy[];
  /** The permission boundary of the user or role. */
  readonly boundary?: Policy | undefined;
  /** The policy of the session (AssumeRole, GetFederationToken). */
  readonly session?: Policy | undefined;
}

/** What a request gets. */
export type Verdict = "allow" | "explicit_deny" | "implicit_deny";

/** Which part of a {@link PolicySet} a statement is in. */
export type PolicySource = "policies" | "boundary" | "session";

/** Where a statement stands; both positions count from 0, and boundary and session have one policy. */
export interface StatementPosition {
  readonly source: PolicySource;
  readonly policy: number;
  readonly statement: number;
}

/** Why a request got what it got. */
export type DecisionReason =
  /** The root account of the owner. */
  | "root_account"
  /** A statement allows it, in every part of the set. */
  | "allowed"
  /** A statement denies it. */
  | "denied"
  /** No statement of the named part allows it. */
  | "not_granted_by_policies"
  | "not_granted_by_boundary"
  | "not_granted_by_session"
  /** The key belongs to another root account. */
  | "foreign_account";

/** The answer to a request. */
export interface Decision {
  readonly decision: Verdict;
  readonly reason: DecisionReason;
  /** The resource that decided: the first one that is refused in this way; the first of all if none is. */
  readonly resource: string;
  /** The statement that denies, or the first that allows; none when nothing applies, or for the root account. */
  readonly statement?: StatementPosition;
}

/** A request in the form that is compared. */
interface PreparedRequest {
  readonly action: string;
  readonly ownerAccount: string;
  readonly isRoot: boolean;
  readonly context: AccessRequest["context"];
}

function applies(statement: Statement, request: PreparedRequest, resource: ResourceName): boolean {
  if (!statement.actions.some((pattern) => pattern.matches(request.action))) return false;
  const { ownerAccount, context } = request;
  if (!statement.resources.some((pattern) => resourceDifference(pattern, resource, ownerAccount) === undefined)) {
    return false;
  }
  return statement.conditions.every(({ key, test }) => test(contextValue(context, key)) === "met");
}

const UIN = /^[0-9]{1,20}$/;
const NOT_GRANTED = {
  policies: "not_granted_by_policies",
  boundary: "not_granted_by_boundary",
  session: "not_granted_by_session",
} as const;

/** One part of the set on its own: any deny that applies wins, wherever it stands; then any allow; else nothing is granted. */
function decidePart(
  source: PolicySource,
  policies: readonly Policy[],
  request: PreparedRequest,
  resource: ResourceName,
): Decision {
  let allowing: StatementPosition | undefined;
  for (let policy = 0; policy < policies.length; policy++) {
    const statements = (policies[policy] as Policy).statements;
    for (let index = 0; index < statements.length; index++) {
      const statement = statements[index] as Statement;
      const isDeny = statement.effect === "deny";
      if ((!isDeny && allowing !== undefined) || !applies(statement, request, resource)) continue;
      const position = { source, policy, statement: index };
      if (isDeny) return { decision: "explicit_deny", reason: "denied", resource: resource.text, statement: position };
      allowing = position;
    }
  }
  if (allowing === undefined) {
    return { decision: "implicit_deny", reason: NOT_GRANTED[source], resource: resource.text };
  }
  return { decision: "allow", reason: "allowed", resource: resource.text, statement: allowing };
}

/** The stricter of two decisions; the earlier one when they are equal. */
function stricter(a: Decision, b: Decision): Decision {
  if (a.decision === "explicit_deny" || b.decision === "allow") return a;
  return b.decision === "explicit_deny" || a.decision === "allow" ? b : a;
}

function decideResource(set: PolicySet, request: PreparedRequest, resource: ResourceName): Decision {
  // Keys are not shared between root accounts, so no pattern, however wide, reaches into another one.
  if (resource.segments !== undefined && resource.segments.account !== request.ownerAccount) {
    return { decision: "implicit_deny", reason: "foreign_account", resource: resource.text };
  }
  // The root account needs no policy. A boundary or a session still narrows it, should there be one: to ignore it would open.
  let decision: Decision = request.isRoot
    ? { decision: "allow", reason: "root_account", resource: resource.text }
    : decidePart("policies", set.policies, request, resource);
  if (set.boundary !== undefined) {
    decision = stricter(decision, decidePart("boundary", [set.boundary], request, resource));
  }
  if (set.session !== undefined) {
    decision = stricter(decision, decidePart("session", [set.session], request, resource));
  }
  return decision;
}

/**
 * Decides a request. Boundary and session must allow it too, and a deny in any of them is explicit; the order of policies and
 * statements does not matter.
 * @param set - the policies, each from `parsePolicy`
 * @param request - who wants to do what to which resources, in which context
 * @returns the strictest decision over all resources, with its reason
 * @throws TypeError `ERR_ARGUMENT` for a malformed caller, action or resource, or no resource: "all of none" would be allowed
 */
export function evaluate(set: PolicySet, request: AccessRequest): Decision {
  const { caller, resources, context } = request;
  // Two numbers that are both missing would be equal, and equal means root.
  if (!UIN.test(caller.ownerUin) || !UIN.test(caller.uin))
    throw argumentError("caller expected the numbers of accounts");
  const prepared: PreparedRequest = {
    action: foldRequestAction(request.action),
    ownerAccount: `uin/${caller.ownerUin}`,
    isRoot: caller.uin === caller.ownerUin && caller.roleName === undefined,
    context,
  };
  let decision: Decision | undefined;
  for (const text of resources) {
    const next = decideResource(set, prepared, parseResourceName(text));
    decision = decision === undefined ? next : stricter(decision, next);
  }
  if (decision === undefined) throw argumentError("resources expected at least one");
  return decision;
}
