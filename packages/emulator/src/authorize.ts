// Asks the policies for every operation of the local KMS: what the action presents, who calls, what was decided. It must not know
// how policies are evaluated, nor HTTP.
import type { AccessRequest, AccessResource, Authorizer, Caller } from "@fengni/backend-local";
import {
  type Action,
  ApiError,
  type Decision,
  deniedMessage,
  evaluate,
  presentResource,
  type ResourceTag,
  requestContext,
} from "@fengni/kms-api";
import type { Account } from "./accounts.js";

/** One decision of a request: an action on several keys has several. */
export interface AccessDecision extends Decision {
  /** What the action presented. */
  readonly presented: string;
  /** The condition keys that were present. */
  readonly context: Readonly<Record<string, string | readonly string[]>>;
}

/** The caller of one request, with what its conditions may ask for. */
export interface RequestCaller extends Caller {
  readonly account: Account;
  readonly requestId: string;
  /** The action that the client sent: one handler may use several operations, which are authorized as this action. */
  readonly action: Action;
  /** The address of the peer. */
  readonly ip: string | undefined;
  readonly arrivedAtMs: number;
  /** What was decided, for the audit log and the console. */
  readonly decisions: AccessDecision[];
}

/**
 * The authorizer of the emulator's KMS.
 * @param ownerUin - the root account, which owns every key
 */
export function createAuthorizer(ownerUin: string): Authorizer {
  return (access) => {
    const caller = requestCallerOf(access);
    // A caller that the gateway did not make is the program that holds the KMS: it needs no permission from itself.
    if (caller === undefined) return true;
    return decide(ownerUin, caller, access);
  };
}

function decide(ownerUin: string, caller: RequestCaller, access: AccessRequest): boolean {
  const { account, action, ip } = caller;
  const presented = presentedBy(action, ownerUin, access.region, access.resource ?? EVERYTHING);
  const context = requestContext(action, {
    timeMs: caller.arrivedAtMs,
    ...(ip === undefined ? {} : { ip }),
    ...(access.resource?.exists === true ? { resourceTags: tagsOf(access.resource.tags) } : {}),
    ...(access.requestTags === undefined ? {} : { requestTags: tagsOf(access.requestTags) }),
  });
  const decision = evaluate(account.policySet, {
    caller: account.caller,
    action: `kms:${action.name}`,
    resources: [presented],
    context,
  });
  caller.decisions.push({ ...decision, presented, context });
  if (decision.decision === "allow") return true;
  const shown = shownTo(action, ownerUin, access, presented);
  throw new ApiError("UnauthorizedOperation", deniedMessage(caller.requestId, `kms:${action.name}`, shown));
}

/**
 * What the refusal names. Who made a key is known of existing keys only: the caller, who may not use it, reads the owner there, as
 * for a key that does not exist. The audit log has what was presented.
 */
function shownTo(action: Action, ownerUin: string, { region, resource }: AccessRequest, presented: string): string {
  if (resource === undefined || resource.id === EVERYTHING.id) return presented;
  return presentedBy(action, ownerUin, region, { ...resource, exists: false });
}

function presentedBy(action: Action, ownerUin: string, region: string, resource: PresentedKey): string {
  if (action.granularity === "operation") return "*";
  const { creator, id, exists } = resource;
  // Of what is not there nobody knows who made it; of what is to be made it is the caller.
  const isCreator = (exists || id === EVERYTHING.id) && isUin(creator);
  return presentResource(action, { region, ownerUin, ...(isCreator ? { creatorUin: creator } : {}), id });
}

type PresentedKey = Pick<AccessResource, "creator" | "id" | "exists">;

/** What a resource-level action on no one key presents, such as a list of white-box keys. */
const EVERYTHING: PresentedKey = { creator: "", id: "*", exists: false };

/** Keys that the program itself made are the root account's. */
function isUin(creator: string): boolean {
  return /^[0-9]{1,20}$/.test(creator);
}

function tagsOf(tags: Readonly<Record<string, string>>): ResourceTag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

function requestCallerOf({ caller }: AccessRequest): RequestCaller | undefined {
  return "decisions" in caller ? (caller as RequestCaller) : undefined;
}
