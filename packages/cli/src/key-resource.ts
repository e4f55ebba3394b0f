// From a key on the command line to the resource that an action presents for it. Must not know policies.
import type { Action } from "@fengni/kms-api";
import { usageError } from "./failure.js";
import type { KmsApi } from "./kms-api.js";

/** Where keys lie and whose they are, as the options say. */
export interface KeyPlace {
  readonly region: string;
  readonly ownerUin: string;
  readonly creatorUin: string;
}

/** The action's name in policies. */
export function policyName(action: Action): string {
  return `kms:${action.name}`;
}

/** Finds an action by `kms:Encrypt`, `name/kms:Encrypt` or `Encrypt`. @throws `ERR_USAGE` */
export function requireAction(api: KmsApi, text: string): Action {
  const name = text.replace(/^(?:name\/)?kms:/, "");
  const action = api.findAction(name);
  if (action !== undefined) return action;
  const similar = api.ACTIONS.find((other) => other.name.toLowerCase() === name.toLowerCase());
  const hint = similar === undefined ? "" : `: do you mean ${policyName(similar)}?`;
  throw usageError(`--action: the KMS has no action "${text}"${hint}`);
}

/** Whether a `--key` is a resource in six segments, not an id. */
export function isResource(key: string): boolean {
  return key.startsWith("qcs:");
}

/** Whether the action is about keys or data keys that exist, and that a policy can name. */
export function namesKeys(action: Action): boolean {
  return action.granularity === "resource" && /\$(?:keyId|dataKeyId)$/.test(action.resource);
}

/** The root account in a resource: `100000000001` of `qcs::kms:ap-guangzhou:uin/100000000001:key/...`. */
export function ownerOf(resource: string): string | undefined {
  return /^qcs:[^:]*:[^:]*:[^:]*:uin\/([0-9]{1,20}):/.exec(resource)?.[1];
}

/**
 * The resource that an action presents for a key.
 * @param key - an id, or the resource itself
 * @throws `ERR_USAGE` for a resource that the action never presents: it would match for no reason that has to do with policies
 */
export function resourceOfKey(api: KmsApi, action: Action, key: string, place: KeyPlace): string {
  if (!isResource(key)) return api.presentResource(action, { ...place, id: key });
  // A list of keys ends in a star where a key has its id.
  if (api.isPresentedBy(action, key) || api.isPresentedBy(action, key.replace(/\*$/, "any"))) return key;
  const form = api.presentResource(action, { ...place, id: "ID" });
  throw usageError(`--key: ${policyName(action)} never presents "${key}": give the id, or a resource such as ${form}`);
}
