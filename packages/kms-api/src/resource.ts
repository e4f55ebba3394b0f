// What an action shows to the authorization: its resource, the context of its conditions, and the message when it is refused. It
// must not know policies; the tables are in the catalogue.

import { argumentError, quote } from "./policy-error.js";
import { parseIpAddress } from "./policy-ip.js";

/** The columns of an action that authorization needs; a row of the catalogue has them. */
export interface ActionRule {
  /** For example `Encrypt`. */
  readonly name: string;
  readonly access: "read" | "write" | "list" | "other";
  /** `operation`: a policy cannot name keys for it, it is authorized as a whole. */
  readonly granularity: "resource" | "operation";
  /** `*`, or a template with `$region`, `$uin`, `$creatorUin`, `$keyId`, `$dataKeyId`. */
  readonly resource: string;
  /** Whether the caller's address is part of its context. */
  readonly ipRestriction: boolean;
}

/** What fills the template of a resource. */
export interface ResourceParts {
  /** The region of the call, for example `ap-guangzhou`; data keys have none. */
  readonly region?: string;
  /** The root account that owns the key. */
  readonly ownerUin: string;
  /** Who made the key; of a key that is to be made, the caller. When left out, the owner. */
  readonly creatorUin?: string;
  /** The id of the key or data key, 1 to 256 characters; for an unknown key as the caller sent it. */
  readonly id?: string;
}

const PLACEHOLDER = /\$(?:region|uin|creatorUin|keyId|dataKeyId)\b/g;
const REGION = /^[a-z0-9-]{1,40}$/;
const UIN = /^[0-9]{1,20}$/;
const ID = /^\P{Cc}{1,256}$/u;

function checked(name: string, value: string | undefined, form: RegExp, expected: string): string {
  if (value !== undefined && form.test(value)) return value;
  throw argumentError(`${name} expected ${expected}${value === undefined ? "" : `, got ${quote(value)}`}`);
}

/**
 * The resource that an action presents. An operation-level action presents `*` whatever key it names; an action that makes a key
 * ends in a literal `*`.
 * @param rule - the action
 * @param parts - what the template needs; the rest is ignored
 * @returns `*` or six segments, for one key: an action on several is authorized once for each
 * @throws TypeError `ERR_ARGUMENT` for a part that is missing or has characters that would shift the segments
 */
export function presentResource(rule: ActionRule, parts: ResourceParts): string {
  if (rule.granularity === "operation") return "*";
  return rule.resource.replace(PLACEHOLDER, (placeholder) => {
    switch (placeholder) {
      case "$region":
        return checked("region", parts.region, REGION, "a region such as ap-guangzhou");
      case "$uin":
        return checked("ownerUin", parts.ownerUin, UIN, "the number of a root account");
      case "$creatorUin":
        return checked("creatorUin", parts.creatorUin ?? parts.ownerUin, UIN, "the number of an account");
      default:
        return checked("id", parts.id, ID, "1 to 256 characters, none of them a control character");
    }
  });
}

const FILLINGS: Readonly<Record<string, string>> = {
  $region: "[a-z0-9-]+",
  $uin: "[0-9]+",
  $creatorUin: "[0-9]+",
  $keyId: "[^*\\p{Cc}]+",
  $dataKeyId: "[^*\\p{Cc}]+",
};

/**
 * Whether an action can present a resource: the text has the form of the action's template. An id with a `*` is of no key.
 * @param rule - the action
 * @param resource - a text; the project in its second segment does not matter
 */
export function isPresentedBy(rule: ActionRule, resource: string): boolean {
  if (rule.granularity === "operation") return resource === "*";
  const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const fillings = rule.resource.match(PLACEHOLDER) ?? [];
  const source = rule.resource
    .split(PLACEHOLDER)
    .map((text, index) => literal(text) + (FILLINGS[fillings[index] ?? ""] ?? ""))
    .join("");
  return new RegExp(`^${source}$`, "u").test(resource.replace(/^qcs:[^:]*:/, "qcs::"));
}

/** A tag of a key or of a request. */
export interface Tag {
  readonly key: string;
  readonly value: string;
}

/** What the server knows of a request, for conditions. */
export interface RequestFacts {
  /** The peer's address, as the socket says; the zone of a link-local one is dropped. */
  readonly ip?: string;
  /** When the request arrived, in milliseconds since 1970, by the server's clock. */
  readonly timeMs: number;
  /** The tags of the key; left out when there is no key yet. */
  readonly resourceTags?: readonly Tag[];
  /** The tags that the request passes; left out when the action takes none. */
  readonly requestTags?: readonly Tag[];
}

function tagTexts(tags: readonly Tag[]): readonly string[] {
  return tags.map(({ key, value }) => {
    // The first "&" ends the key; one inside it would make two different tags look the same.
    if (key === "" || key.includes("&")) throw argumentError(`the key of a tag expected a text without "&"`);
    return `${key}&${value}`;
  });
}

/**
 * The context in which conditions are tested. A key that does not apply is left out: the address for actions that the service
 * does not restrict by address, the tags of the resource for operation-level actions, which have no resource.
 * @param rule - the action
 * @param facts - what the server knows
 * @returns the values of the condition keys `qcs:current_time`, `qcs:ip`, `qcs:resource_tag`, `qcs:request_tag`
 * @throws TypeError `ERR_ARGUMENT` for an address, time or tag that no condition could read: a deny would fail to apply
 */
export function requestContext(rule: ActionRule, facts: RequestFacts): Record<string, string | readonly string[]> {
  if (!(Math.abs(facts.timeMs) <= 8.64e15)) throw argumentError("timeMs expected milliseconds since 1970");
  const time = new Date(facts.timeMs).toISOString();
  if (time.length !== "YYYY-MM-DDThh:mm:ss.sssZ".length)
    throw argumentError("timeMs expected a time of the years 0 to 9999");
  const context: Record<string, string | readonly string[]> = { "qcs:current_time": time };
  if (facts.ip !== undefined && rule.ipRestriction) {
    const ip = facts.ip.replace(/%.*$/s, "");
    if (parseIpAddress(ip) === undefined) throw argumentError(`ip expected an address, got ${quote(facts.ip)}`);
    context["qcs:ip"] = ip;
  }
  if (facts.resourceTags !== undefined && rule.granularity === "resource") {
    context["qcs:resource_tag"] = tagTexts(facts.resourceTags);
  }
  if (facts.requestTags !== undefined) context["qcs:request_tag"] = tagTexts(facts.requestTags);
  return context;
}

/**
 * The message of a refusal, in the service's form. The resource is the one that was authorized, so `*` tells its reader that the
 * action is operation level.
 * @param requestId - the id of the request, a UUID
 * @param action - for example `kms:Decrypt`
 * @param resource - what {@link presentResource} gave
 * @returns two lines
 */
export function deniedMessage(requestId: string, action: string, resource: string): string {
  return `[request id:${requestId}]you are not authorized to perform operation (${action})\nresource (${resource}) has no permission`;
}
