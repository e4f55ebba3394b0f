// The request that `policy explain` asks about, from the options. Must not know policies.
import { isIP } from "node:net";
import type { AccessRequest, Action, ResourceTag } from "@fengni/kms-api";
import type { Arguments } from "./arguments.js";
import { usageError } from "./failure.js";
import type { CliIo } from "./io.js";
import { isResource, namesKeys, ownerOf, policyName, requireAction, resourceOfKey } from "./key-resource.js";
import type { KmsApi } from "./kms-api.js";
import type { OptionName } from "./option-table.js";

/** The region that is assumed when none is named. */
export const DEFAULT_REGION = "ap-guangzhou";
/** The root account that is assumed when none is named: the emulator's. */
const DEFAULT_OWNER = "100000000001";
/** The caller that is assumed when none is named: not the root account, which needs no policy. */
const DEFAULT_CALLER = "100000000002";
const UIN = /^[1-9][0-9]{0,19}$/;
const TIME = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?(?:Z|[+-]\d\d:\d\d)$/;

/** An option that takes the number of an account. @throws `ERR_USAGE` */
export function readUin(args: Arguments, name: OptionName): string | undefined {
  const text = args.text(name);
  if (text === undefined || UIN.test(text)) return text;
  throw usageError(`--${name} expected the number of an account, got "${text}"`);
}

/** What is asked, and about which action. */
export interface Question {
  readonly action: Action;
  readonly request: AccessRequest;
}

/** Reads the options. @throws `ERR_USAGE` */
export function readQuestion(api: KmsApi, args: Arguments, io: CliIo): Question {
  const [name, another] = args.list("action");
  if (name === undefined) throw usageError("--action is missing: it says what the caller wants to do");
  if (another !== undefined) throw usageError("--action is given more than once: one request is one action");
  const action = requireAction(api, name);
  const keys = args.list("key");
  if (keys.includes("")) throw usageError("--key is empty");
  const ownerUin = readUin(args, "owner") ?? ownerOf(keys.find(isResource) ?? "") ?? DEFAULT_OWNER;
  const uin = readUin(args, "caller") ?? DEFAULT_CALLER;
  if (args.text("caller") === undefined && uin === ownerUin) {
    throw usageError(`--caller is missing: ${uin}, its default, is the owner here, who needs no policy`);
  }
  const creatorUin = readUin(args, "creator");
  const region = args.text("region") ?? DEFAULT_REGION;
  const resources = resourcesOf(api, action, keys, { region, ownerUin, uin, creatorUin });
  return {
    action,
    request: {
      caller: { ownerUin, uin },
      action: policyName(action),
      resources,
      context: contextOf(api, args, action, io),
    },
  };
}

interface Place {
  readonly region: string;
  readonly ownerUin: string;
  readonly uin: string;
  readonly creatorUin: string | undefined;
}

/** One for each key: all of them must be allowed. */
function resourcesOf(api: KmsApi, action: Action, keys: readonly string[], place: Place): readonly string[] {
  const { region, ownerUin, uin } = place;
  // Who makes a key is its creator.
  if (!namesKeys(action)) {
    if (keys.length > 0 && action.granularity === "resource") {
      throw usageError(`--key: ${policyName(action)} is about no key that exists: leave it out`);
    }
    return [api.presentResource(action, { region, ownerUin, creatorUin: place.creatorUin ?? uin })];
  }
  if (keys.length === 0) throw usageError(`--key is missing: ${policyName(action)} is about a key`);
  const creatorUin = place.creatorUin ?? ownerUin;
  return keys.map((key) => resourceOfKey(api, action, key, { region, ownerUin, creatorUin }));
}

function contextOf(api: KmsApi, args: Arguments, action: Action, io: CliIo): AccessRequest["context"] {
  const ip = readIp(args);
  const requestTags = readTags(args, "request-tag");
  const resourceTags = readTags(args, "tag");
  return api.requestContext(action, {
    timeMs: readTime(args) ?? io.currentTimeMs(),
    ...(ip !== undefined && { ip }),
    // A key without tags has an empty list of them; what does not exist yet has none.
    ...(namesKeys(action) && { resourceTags }),
    ...(requestTags.length > 0 && { requestTags }),
  });
}

function readIp(args: Arguments): string | undefined {
  const text = args.text("ip");
  if (text === undefined || isIP(text) !== 0) return text;
  throw usageError(`--ip expected an address such as 10.0.0.7, got "${text}"`);
}

function readTags(args: Arguments, name: "tag" | "request-tag"): readonly ResourceTag[] {
  return args.list(name).map((pair) => {
    const at = pair.indexOf("=");
    if (at > 0) return { key: pair.slice(0, at), value: pair.slice(at + 1) };
    throw usageError(`--${name} expected KEY=VALUE, got "${pair}"`);
  });
}

function readTime(args: Arguments): number | undefined {
  const text = args.text("time");
  if (text === undefined) return undefined;
  const day = TIME.exec(text)?.[1];
  // The engine takes the 30th of February for the 2nd of March.
  const isDay = day !== undefined && dayOf(Date.parse(`${day}T00:00:00Z`)) === day;
  const timeMs = isDay ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(timeMs)) return timeMs;
  throw usageError(`--time expected a time with its zone such as 2026-11-24T08:00:00Z, got "${text}"`);
}

function dayOf(timeMs: number): string | undefined {
  return Number.isFinite(timeMs) ? new Date(timeMs).toISOString().slice(0, 10) : undefined;
}
