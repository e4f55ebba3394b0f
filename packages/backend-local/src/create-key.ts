// How a key comes to be. It must not know how keys are used or kept.
import { type CreateKeyRequest, FengniError, type KeyOrigin, type KeySpec, type KeyUsage } from "@fengni/core";
import { SecretBytes } from "@fengni/crypto/secret";
import type { LocalCallOptions } from "./access.js";
import { checkOwnedAlias, requireFreeAlias } from "./aliases.js";
import { checkDescription, checkFields, checkOneOf, checkText, rangeError } from "./checks.js";
import { checkTags } from "./checks-lists.js";
import { createId, describeKeyRecord, KEY_USAGES, type KeyMetadata } from "./keys.js";
import type { KeyRecord, Tags } from "./records.js";
import type { Room } from "./room.js";
import { specOf } from "./specs.js";
import type { RecordTransaction } from "./store.js";

const OWNER = /^[A-Za-z0-9][A-Za-z0-9_-]{0,59}$/;

/** Asks for a new key. Without a spec it is symmetric, of the spec of its region. */
export interface LocalCreateKeyRequest extends CreateKeyRequest {
  /** At most 50; keys of 1 to 127 characters, values of at most 255. */
  readonly tags?: Tags;
  /**
   * Default `user`; else the name of a product: 1 to 60 of letters, digits, `-`, `_`. Keys of products may have aliases that
   * begin with `kms-`, and are neither disabled, archived, deleted nor given another alias or description.
   */
  readonly owner?: string;
}

/** A request with its defaults, checked. */
interface NewKey {
  readonly keySpec: KeySpec;
  readonly keyUsage: KeyUsage;
  readonly origin: KeyOrigin;
  readonly alias: string | undefined;
  readonly description: string;
  readonly tags: Tags;
  readonly owner: string;
}

/** Makes a key (`createKey` of lifecycle.ts). */
export async function createKey(
  room: Room,
  request: LocalCreateKeyRequest,
  options: LocalCallOptions | undefined,
): Promise<KeyMetadata> {
  options?.signal?.throwIfAborted();
  const region = room.region(options);
  const wanted = checkNewKey(request, room.regions.symmetricSpec(region));
  await room.authorize("createKey", options, { kind: "key", tags: wanted.tags });
  const material = wanted.origin === "external" ? undefined : new SecretBytes(await specOf(wanted.keySpec).generate());
  try {
    const creator = room.caller(options).id;
    return await room.change(options, (records, nowMs) => {
      const record = newRecord(records, region, wanted, creator, nowMs);
      records.put(record);
      if (material !== undefined) records.putSecret(record, 1, material);
      return describeKeyRecord(record);
    });
  } catch (error) {
    material?.wipe();
    throw error;
  }
}

function checkNewKey(request: LocalCreateKeyRequest, symmetricSpec: KeySpec): NewKey {
  checkFields("createKey", request, ["keySpec", "keyUsage", "origin", "alias", "description", "tags", "owner"]);
  const { owner = "user", origin = "provider", description = "" } = request;
  if (!OWNER.test(checkText("owner", owner))) {
    throw rangeError('owner expected "user", or 1 to 60 letters, digits, "-" and "_", the first a letter or a digit');
  }
  checkOneOf("origin", origin, ["provider", "external"]);
  return {
    ...checkKind(request, symmetricSpec, origin),
    origin,
    alias: request.alias === undefined ? undefined : checkOwnedAlias(request.alias, owner),
    description: checkDescription(description),
    tags: checkTags(request.tags),
    owner,
  };
}

function checkKind(
  request: LocalCreateKeyRequest,
  symmetricSpec: KeySpec,
  origin: KeyOrigin,
): { readonly keySpec: KeySpec; readonly keyUsage: KeyUsage } {
  const { keySpec = symmetricSpec } = request;
  const { usages, symmetric } = specOf(checkText("keySpec", keySpec));
  const { keyUsage = usages[0] } = request;
  checkOneOf("keyUsage", keyUsage, KEY_USAGES);
  if (!usages.includes(keyUsage)) {
    const advice = request.keySpec === undefined ? "name a spec for it" : `it takes ${usages.join(", ")}`;
    throw rangeError(`keyUsage expected a usage of ${keySpec}, got ${keyUsage}: ${advice}`);
  }
  if (origin === "external" && symmetric === undefined) {
    throw new FengniError("ERR_NOT_SUPPORTED", `keys of ${keySpec} cannot be imported: only symmetric keys can`, {
      details: { operation: "createKey", reason: "external-asymmetric" },
    });
  }
  return { keySpec, keyUsage };
}

function newRecord(
  records: RecordTransaction,
  region: string,
  wanted: NewKey,
  creator: string,
  nowMs: number,
): KeyRecord {
  const { alias, tags, origin, ...fields } = wanted;
  const id = createId();
  if (alias !== undefined) requireFreeAlias(records, region, alias, id);
  return {
    kind: "key",
    region,
    id,
    sequence: records.nextSequence(),
    ...fields,
    origin,
    state: origin === "external" ? "pending-import" : "enabled",
    versions: origin === "external" ? 0 : 1,
    role: wanted.owner === "user" ? "user" : "product",
    creator,
    createdAtMs: nowMs,
    ...(alias === undefined ? {} : { name: alias }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
  };
}
