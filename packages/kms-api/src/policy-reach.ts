// What a statement can reach: which actions of the catalogue it covers, which of them its resources can ever match, and whether
// one pattern covers another. It must not judge what it finds.
import { findAction } from "./catalogue.js";
import type { Statement } from "./policy.js";
import type { ActionPattern, ResourcePattern, SegmentPattern } from "./policy-match.js";
import type { ActionRule } from "./resource.js";

/** Why a resource pattern can never match what an action presents. */
export type Obstacle =
  /** The action is operation level, and the pattern names something. */
  | "operation-level"
  /** The pattern is of another service. */
  | "service"
  /** The action presents no region, and the pattern demands one. */
  | "region"
  /** The action presents another kind of resource, or one that ends in a literal `*`. */
  | "resource";

const SERVICE = "kms";

/** The name that policies use for an action: `kms:Encrypt`. */
export function policyAction(name: string): string {
  return `${SERVICE}:${name}`;
}

/** Whether a pattern covers an action of the KMS. */
export function coversAction(pattern: ActionPattern, name: string): boolean {
  return pattern.matches(policyAction(name).toLowerCase());
}

/** The actions of the catalogue that a statement covers. */
export function coveredActions(statement: Statement, actions: readonly ActionRule[]): readonly ActionRule[] {
  return actions.filter(({ name }) => statement.actions.some((pattern) => coversAction(pattern, name)));
}

/** Whether a statement writes an action out, without any `*`. */
export function namesAction(statement: Statement, name: string): boolean {
  const folded = policyAction(name).toLowerCase();
  return statement.actions.some((pattern) => pattern.folded === folded);
}

function literalPrefix(text: string, end: string): string {
  const at = text.indexOf(end);
  return at < 0 ? text : text.slice(0, at);
}

/** Whether a pattern may match what a template becomes; only "no" is sure. */
function mayMatch(pattern: SegmentPattern, template: string): boolean {
  if (!template.includes("$")) return pattern.matches(template);
  const wanted = literalPrefix(pattern.text, "*");
  const given = literalPrefix(template, "$");
  if (!wanted.startsWith(given) && !given.startsWith(wanted)) return false;
  // The resource of a key that is yet to be made ends in "*", which only a star matches.
  return !template.endsWith("*") || pattern.text.endsWith("*");
}

/**
 * Why a pattern can never match the resource of an action, or undefined when it may. It errs on the side of "may": what it calls
 * an obstacle is one.
 */
export function obstacleOf(pattern: ResourcePattern, rule: ActionRule): Obstacle | undefined {
  const { segments } = pattern;
  if (segments === undefined) return undefined;
  if (rule.granularity === "operation") return "operation-level";
  const [, , service = "", region = "", , resource = ""] = rule.resource.split(":");
  if (!segments.service.matches(service)) return "service";
  // Where the root account is the creator too, one that the pattern names is both.
  const owner = /^uin\/([0-9]+)$/.exec(segments.account.text)?.[1];
  const filled = owner === undefined ? resource : resource.replace("$uin", owner);
  if (!mayMatch(segments.resource, filled)) return "resource";
  return region === "" && !segments.region.matches("") ? "region" : undefined;
}

function coversSegment(wide: SegmentPattern, narrow: SegmentPattern): boolean {
  // What a star of the narrow one may become, the star of the wide one that took it may become too: so its text decides.
  return wide.matches(narrow.text);
}

/** Whether everything that `narrow` matches is matched by `wide` too; "no" may be wrong, "yes" is not. */
export function coversResource(wide: ResourcePattern, narrow: ResourcePattern): boolean {
  if (wide.segments === undefined) return true;
  if (narrow.segments === undefined) return false;
  const [outer, inner] = [wide.segments, narrow.segments];
  // An empty service or region means all of them, so that only an empty one or a star covers it; matching "" says just that.
  const isAccountCovered =
    outer.account.text === "" ? inner.account.text === "" : coversSegment(outer.account, inner.account);
  return (
    isAccountCovered &&
    coversAll(outer.service, inner.service) &&
    coversAll(outer.region, inner.region) &&
    coversSegment(outer.resource, inner.resource)
  );
}

function coversAll(wide: SegmentPattern, narrow: SegmentPattern): boolean {
  return wide.text === "" || coversSegment(wide, narrow);
}

/** Whether every action that `narrow` covers, of any service, is covered by `wide` too; "no" may be wrong, "yes" is not. */
export function coversActions(wide: Statement, narrow: Statement, actions: readonly ActionRule[]): boolean {
  const covered = new Set(coveredActions(wide, actions));
  return narrow.actions.every((pattern) => {
    if (wide.actions.some((other) => other.matches(pattern.folded))) return true;
    if (!pattern.folded.startsWith(`${SERVICE}:`)) return false;
    const own = actions.filter(({ name }) => coversAction(pattern, name));
    return own.length > 0 && own.every((rule) => covered.has(rule));
  });
}

/** The action that a policy's or an audit record's text names, with or without `name/` and `kms:`; undefined for none of ours. */
export function findPolicyAction(text: string): ActionRule | undefined {
  const bare = text.startsWith("name/") ? text.slice("name/".length) : text;
  return findAction(bare.startsWith(`${SERVICE}:`) ? bare.slice(SERVICE.length + 1) : bare);
}
