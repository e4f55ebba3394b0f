// What the policy tests share: accounts, resources, and short ways to write policies and requests.
import { ACTIONS } from "../../src/actions-table.gen.js";
import type { PolicyDocument, StatementDocument } from "../../src/policy.js";
import type { AccessRequest, PolicySet } from "../../src/policy-evaluate.js";
import { parsePolicy } from "../../src/policy-parse.js";
import type { ActionRule } from "../../src/resource.js";

export const OWNER = "100000000001";
export const CALLER = "100000000077";
export const STRANGER = "100000000999";
export const NOW_MS: number = Date.UTC(2026, 2, 1, 10);

/** A key of the owner. */
export function keyResource(id: string, region = "ap-guangzhou", owner = OWNER): string {
  return `qcs::kms:${region}:uin/${owner}:key/creatorUin/${owner}/${id}`;
}

export const K1: string = keyResource("k-1111");
export const K2: string = keyResource("k-2222");

export function document(...statement: readonly StatementDocument[]): PolicyDocument {
  return { version: "2.0", statement };
}

/** A set of one policy. */
export function set(...statement: readonly StatementDocument[]): PolicySet {
  return { policies: [parsePolicy(document(...statement))] };
}

export function allow(
  action: string | readonly string[],
  resource: string | readonly string[] = "*",
): StatementDocument {
  return { effect: "allow", action, resource };
}

export function deny(
  action: string | readonly string[],
  resource: string | readonly string[] = "*",
): StatementDocument {
  return { effect: "deny", action, resource };
}

export function request(action: string, ...resources: readonly string[]): AccessRequest {
  return { caller: { ownerUin: OWNER, uin: CALLER }, action, resources, context: {} };
}

export function rule(name: string): ActionRule {
  const found = ACTIONS.find((action) => action.name === name);
  if (found === undefined) throw new Error(`no action ${name}`);
  return found;
}
