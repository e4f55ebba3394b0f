// The accounts of the emulator, from a credentials document: who holds which secret, and which policies bear on whom. It must not
// know requests or how a policy is evaluated.
import type { Policy, Caller as PolicyCaller, PolicySet, SecretRecord } from "@fengni/kms-api";
import { EmulatorConfigurationError } from "./configuration-error.js";
import { listOf, objectOf, optional, textOf, uinOf } from "./document.js";

/** Who may call. */
export interface Account {
  readonly uin: string;
  readonly name: string;
  readonly caller: PolicyCaller;
  /** All that bears on the account; a session narrows a copy of it. */
  readonly policySet: PolicySet;
  /** The names of the policies in `policySet.policies`, in the same order. */
  readonly policyNames: readonly string[];
}

/** A SecretId's secret, with the account that it speaks for. */
export interface AccountSecret extends SecretRecord {
  readonly secretId: string;
  readonly account: Account;
}

/** All accounts of one emulator. */
export interface Accounts {
  /** The root account, which owns every key. */
  readonly ownerUin: string;
  readonly accounts: readonly Account[];
  /** By SecretId. */
  readonly secrets: ReadonlyMap<string, AccountSecret>;
}

/** The root account when no document names one. */
export const DEFAULT_OWNER_UIN = "100000000001";

const SECRET_ID = /^[A-Za-z0-9_-]{8,128}$/;
const SECRET_KEY = /^[!-~]{16,128}$/;
const RFC_3339 =
  /^(\d{4}-\d\d-\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;
const MAX_USERS = 1_000;
const MAX_KEYS_PER_USER = 20;

/** One root account with one secret. */
export function rootAccounts(secretId: string, secretKey: string, ownerUin: string = DEFAULT_OWNER_UIN): Accounts {
  return readAccounts(
    { ownerUin, users: [{ uin: ownerUin, name: "root", keys: [{ secretId, secretKey }] }] },
    new Map(),
  );
}

/**
 * Reads a credentials document.
 * @param document - the parsed JSON: `{ownerUin, users: [{uin, name?, roleName?, policies?, groups?, boundary?, keys}], groups?}`
 * @param policies - the policies that the document may name
 * @throws EmulatorConfigurationError that names the place, never a secret
 */
export function readAccounts(document: unknown, policies: ReadonlyMap<string, Policy>): Accounts {
  const root = objectOf(document, "credentials", ["ownerUin", "users", "groups"]);
  const ownerUin = uinOf(root["ownerUin"], "ownerUin");
  const groups = readGroups(root["groups"], policies);
  const secrets = new Map<string, AccountSecret>();
  const accounts = listOf(root["users"], "users", 1, MAX_USERS).map((user, index) =>
    readUser(user, `users[${index}]`, { ownerUin, groups, policies, secrets }),
  );
  return { ownerUin, accounts, secrets };
}

interface Reading {
  readonly ownerUin: string;
  readonly groups: ReadonlyMap<string, readonly string[]>;
  readonly policies: ReadonlyMap<string, Policy>;
  readonly secrets: Map<string, AccountSecret>;
}

function readUser(value: unknown, path: string, reading: Reading): Account {
  const user = objectOf(value, path, ["uin", "name", "roleName", "policies", "groups", "boundary", "keys"]);
  const uin = uinOf(user["uin"], `${path}.uin`);
  const roleName = optional(user["roleName"], (name) => textOf(name, `${path}.roleName`, 128));
  const policyNames = policyNamesOf(user, path, reading);
  const boundary = optional(user["boundary"], (name) => policyOf(name, `${path}.boundary`, reading.policies));
  const account: Account = {
    uin,
    name: optional(user["name"], (name) => textOf(name, `${path}.name`, 128)) ?? uin,
    caller: { ownerUin: reading.ownerUin, uin, ...(roleName === undefined ? {} : { roleName }) },
    policyNames,
    policySet: {
      policies: policyNames.map((name) => policyOf(name, `${path}.policies`, reading.policies)),
      boundary,
    },
  };
  listOf(user["keys"], `${path}.keys`, 1, MAX_KEYS_PER_USER).forEach((key, index) => {
    readSecret(key, `${path}.keys[${index}]`, account, reading);
  });
  return account;
}

function policyNamesOf(user: Readonly<Record<string, unknown>>, path: string, { groups }: Reading): readonly string[] {
  const own = namesOf(user["policies"], `${path}.policies`);
  const inherited = namesOf(user["groups"], `${path}.groups`).flatMap((name) => {
    const names = groups.get(name);
    if (names === undefined) throw new EmulatorConfigurationError(`${path}.groups: there is no group "${name}"`);
    return names;
  });
  return [...new Set([...own, ...inherited])];
}

function readSecret(value: unknown, path: string, account: Account, { policies, secrets }: Reading): void {
  const key = objectOf(value, path, ["secretId", "secretKey", "token", "expiresAt", "session"]);
  const secretId = textOf(key["secretId"], `${path}.secretId`, 128);
  if (!SECRET_ID.test(secretId)) {
    throw new EmulatorConfigurationError(`${path}.secretId expected 8 to 128 letters, digits, "-" and "_"`);
  }
  if (secrets.has(secretId)) throw new EmulatorConfigurationError(`${path}.secretId is there twice`);
  const secretKey = textOf(key["secretKey"], `${path}.secretKey`, 128);
  if (!SECRET_KEY.test(secretKey)) {
    throw new EmulatorConfigurationError(`${path}.secretKey expected 16 to 128 visible ASCII characters`);
  }
  const token = optional(key["token"], (text) => textOf(text, `${path}.token`, 4_096));
  const expiresAt = optional(key["expiresAt"], (text) => secondsOf(text, `${path}.expiresAt`));
  if (token === undefined && expiresAt !== undefined) {
    throw new EmulatorConfigurationError(`${path}.expiresAt goes with a token: a secret without one does not expire`);
  }
  const session = optional(key["session"], (name) => policyOf(name, `${path}.session`, policies));
  secrets.set(secretId, {
    secretId,
    secretKey,
    holder: account.uin,
    ...(token === undefined ? {} : { token }),
    ...(expiresAt === undefined ? {} : { tokenExpiresAtSeconds: expiresAt }),
    account: session === undefined ? account : { ...account, policySet: { ...account.policySet, session } },
  });
}

function readGroups(value: unknown, policies: ReadonlyMap<string, Policy>): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, readonly string[]>();
  if (value === undefined) return groups;
  listOf(value, "groups", 0, MAX_USERS).forEach((item, index) => {
    const path = `groups[${index}]`;
    const group = objectOf(item, path, ["name", "policies"]);
    const name = textOf(group["name"], `${path}.name`, 128);
    if (groups.has(name)) throw new EmulatorConfigurationError(`${path}.name: the group "${name}" is there twice`);
    const policyNames = namesOf(group["policies"], `${path}.policies`);
    for (const policyName of policyNames) policyOf(policyName, `${path}.policies`, policies);
    groups.set(name, policyNames);
  });
  return groups;
}

function namesOf(value: unknown, path: string): readonly string[] {
  if (value === undefined) return [];
  return listOf(value, path, 0, MAX_USERS).map((name, index) => textOf(name, `${path}[${index}]`, 128));
}

function policyOf(name: unknown, path: string, policies: ReadonlyMap<string, Policy>): Policy {
  const text = textOf(name, path, 128);
  const policy = policies.get(text);
  if (policy !== undefined) return policy;
  const known = policies.size === 0 ? "none were given" : `there are ${[...policies.keys()].sort().join(", ")}`;
  throw new EmulatorConfigurationError(`${path} names the policy "${text}", which is not there: ${known}`);
}

/** Without a zone the time would depend on the machine, and the engine takes the 30th of February for the 2nd of March. */
function secondsOf(value: unknown, path: string): number {
  const text = textOf(value, path, 40);
  const day = RFC_3339.exec(text)?.[1];
  const ms = day !== undefined && dayOf(Date.parse(`${day}T00:00:00Z`)) === day ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(ms)) return Math.floor(ms / 1000);
  throw new EmulatorConfigurationError(`${path} expected a time with its zone, such as 2027-01-31T12:00:00Z`);
}

function dayOf(ms: number): string | undefined {
  return Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : undefined;
}
