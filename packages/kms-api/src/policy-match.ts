// Actions and six-segment resources: reading patterns and names, and matching them. It must not know statements or conditions.
import { argumentError, PolicyError, quote } from "./policy-error.js";
import { compileWildcard, type TextTest } from "./policy-wildcard.js";

/** An action pattern such as `kms:Get*`. */
export interface ActionPattern {
  /** As written. */
  readonly text: string;
  /** In lower case and without `name/`: what is compared. */
  readonly folded: string;
  /** Takes an action in lower case. */
  readonly matches: TextTest;
}

/** One segment of a resource pattern. */
export interface SegmentPattern {
  readonly text: string;
  readonly matches: TextTest;
}

/** A resource pattern; without segments it is the bare `*`. */
export interface ResourcePattern {
  /** As written. */
  readonly text: string;
  readonly segments?: {
    readonly service: SegmentPattern;
    readonly region: SegmentPattern;
    readonly account: SegmentPattern;
    readonly resource: SegmentPattern;
  };
}

/** A resource that a request presents; without segments it is the bare `*` of an operation-level action. */
export interface ResourceName {
  readonly text: string;
  readonly segments?: {
    readonly service: string;
    readonly region: string;
    readonly account: string;
    readonly resource: string;
  };
}

/** The first point in which a pattern and a resource differ: a segment, or that one is a bare `*` and the other is none. */
export type ResourceDifference = "operation-level" | "service" | "region" | "account" | "resource";

// Tested before the case is dropped: some letters that are not ASCII, such as the Kelvin sign, become ASCII ones.
const ACTION_PATTERN = /^(?:name\/)?[A-Za-z0-9_*-]+:[A-Za-z0-9_*-]+$/;
const ACTION = /^(?:name\/)?[A-Za-z0-9_-]+:[A-Za-z0-9_-]+$/;
const PLAIN_SEGMENT = /^[A-Za-z0-9/*_.-]*$/;
const ACCOUNT = /^(?:uin|uid)\/[0-9]+$/;
const CONTROL = /\p{Cc}/u;
const ANY: TextTest = () => true;
const BARE: ResourcePattern & ResourceName = { text: "*" };

/** Drops `name/` and the case: `name/kms:Encrypt` and `kms:encrypt` are one action, so that no mistyped deny passes. */
function foldAction(text: string): string {
  const folded = text.toLowerCase();
  return folded.startsWith("name/") ? folded.slice("name/".length) : folded;
}

/**
 * Reads an action pattern.
 * @throws PolicyError for `permid/...`, which names a feature set that only the service can expand, and any other form
 */
export function parseActionPattern(path: string, text: string): ActionPattern {
  if (text === "*") return { text, folded: text, matches: ANY };
  const folded = foldAction(text);
  if (/^(?:name\/)?permid\//i.test(text)) {
    throw new PolicyError(
      path,
      `${quote(text)} is a feature set, whose actions are not public: list the actions instead`,
    );
  }
  if (!ACTION_PATTERN.test(text)) {
    throw new PolicyError(path, `${quote(text)} is no action: write "*", "service:Action" or "name/service:Action"`);
  }
  return { text, folded, matches: compileWildcard(folded) };
}

/**
 * Reads the action of a request.
 * @returns what {@link ActionPattern.matches} takes
 * @throws TypeError `ERR_ARGUMENT` for another form than `service:Action`, also with a `*` in it
 */
export function foldRequestAction(action: string): string {
  const folded = foldAction(action);
  if (!ACTION.test(action)) throw argumentError(`action expected "service:Action", got ${quote(action)}`);
  return folded;
}

/** The text split at its first five colons; undefined when there are fewer. The sixth segment may hold more. */
function splitSegments(text: string): string[] | undefined {
  const segments: string[] = [];
  let start = 0;
  while (segments.length < 5) {
    const colon = text.indexOf(":", start);
    if (colon < 0) return undefined;
    segments.push(text.slice(start, colon));
    start = colon + 1;
  }
  segments.push(text.slice(start));
  return segments;
}

/** A segment whose empty text means "all". */
function optionalSegment(text: string): SegmentPattern {
  return { text, matches: text === "" ? ANY : compileWildcard(text) };
}

/**
 * Reads a resource pattern. The project, its second segment, is in no use and ignored.
 * @throws PolicyError for anything but `*` and `qcs:project:service:region:account:resource`
 */
export function parseResourcePattern(path: string, text: string): ResourcePattern {
  if (text === "*") return BARE;
  const parts = splitSegments(text);
  if (parts === undefined || parts[0] !== "qcs") {
    const form = '"*" or "qcs::service:region:account:resource"';
    throw new PolicyError(path, `${quote(text)} is no resource: write ${form}, with five colons before the resource`);
  }
  const [service, region, account, resource] = parts.slice(2) as [string, string, string, string];
  if (resource === "" || CONTROL.test(text)) {
    throw new PolicyError(path, `${quote(text)} must end in a resource such as "key/*", without control characters`);
  }
  for (const segment of [parts[1] as string, service, region, account]) {
    if (!PLAIN_SEGMENT.test(segment))
      throw new PolicyError(path, `${quote(segment)} has characters that no segment has`);
  }
  if (account !== "" && !account.includes("*") && !ACCOUNT.test(account)) {
    throw new PolicyError(path, `account ${quote(account)} must be "uin/" and the number of a root account, or empty`);
  }
  return {
    text,
    segments: {
      service: optionalSegment(service),
      region: optionalSegment(region),
      // Here empty means one account: that of the policy's maker, which only the request tells (see resourceDifference).
      account: { text: account, matches: compileWildcard(account) },
      resource: { text: resource, matches: compileWildcard(resource) },
    },
  };
}

/**
 * Reads the resource of a request. A `*` in it is a character like any other, as in the resource of CreateKey.
 * @throws TypeError `ERR_ARGUMENT` for anything but `*` and six segments that begin with `qcs`
 */
export function parseResourceName(text: string): ResourceName {
  if (text === "*") return BARE;
  const parts = splitSegments(text);
  if (parts === undefined || parts[0] !== "qcs" || parts[5] === "") {
    throw argumentError(`resource expected "*" or "qcs::service:region:account:resource", got ${quote(text)}`);
  }
  const [service, region, account, resource] = parts.slice(2) as [string, string, string, string];
  return { text, segments: { service, region, account, resource } };
}

/**
 * Compares a pattern with a resource.
 * @param pattern - of a policy
 * @param name - what a request presents
 * @param ownerAccount - what an empty account of the pattern stands for: `uin/` and the root account of the policy's maker
 * @returns the first difference, or undefined when the pattern covers the resource
 */
export function resourceDifference(
  pattern: ResourcePattern,
  name: ResourceName,
  ownerAccount: string,
): ResourceDifference | undefined {
  const wanted = pattern.segments;
  if (wanted === undefined) return undefined;
  const given = name.segments;
  // Whatever six segments a pattern has, it names something, and an operation-level action is about nothing one can name.
  if (given === undefined) return "operation-level";
  if (!wanted.service.matches(given.service)) return "service";
  if (!wanted.region.matches(given.region)) return "region";
  const isAccount = wanted.account.text === "" ? given.account === ownerAccount : wanted.account.matches(given.account);
  if (!isAccount) return "account";
  return wanted.resource.matches(given.resource) ? undefined : "resource";
}
