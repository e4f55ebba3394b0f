// A store of branch keys over a service that keeps data keys by name (docs/branch-keys.md, "Hosted by a KMS"). Backends say how
// their service is asked; it must not know any of them.
import { bytesToHex, equalBytes, utf8ToBytes, wipe } from "@fengni/crypto/bytes";
import { digest } from "@fengni/crypto/hash";
import {
  BRANCH_KEY_BYTES,
  BRANCH_KEY_VERSION_BYTES,
  type BranchKeyAdmin,
  type BranchKeyVersion,
  type BranchKeyVersionInfo,
  branchKeyConflict,
  branchKeyNotFound,
  checkBranchKeyVersion,
  encodeBranchKeyId,
} from "./branch-key.js";
import { argumentError, FengniError, isFengniError, limitError, shown } from "./errors.js";
import type { CallOptions } from "./provider.js";

/** What a service tells of a data key that it keeps. */
export interface HostedDataKey {
  readonly dataKeyId: string;
  readonly dataKeyName: string;
  /** Full id of the key that wraps it. */
  readonly keyId: string;
  /** Alias of that key, if it has one. */
  readonly keyAlias?: string;
  readonly numberOfBytes: number;
  /** Whether the service made it; false for one that somebody imported and hence may know. */
  readonly isGenerated: boolean;
  /** Milliseconds since the Unix epoch. */
  readonly createdAtMs: number;
}

/** A service that keeps data keys by names that are unique in it. */
export interface HostedDataKeyService {
  /** All data keys whose name contains a text, in any order; it may give more. */
  list(namePart: string, options?: CallOptions): Promise<readonly HostedDataKey[]>;
  /**
   * Makes a data key of 32 bytes under the configured key, and keeps it.
   * @param description - ASCII, at most 100 characters
   * @returns its id
   * @throws FengniError `ERR_CONFLICT` when the name is in use
   */
  generate(dataKeyName: string, description: string, options?: CallOptions): Promise<string>;
  /** The data key itself, a new buffer. @throws FengniError `ERR_KEY_STATE` for a disabled one, `ERR_KEY_NOT_FOUND` */
  plaintext(dataKeyId: string, options?: CallOptions): Promise<Uint8Array>;
}

const NAME_PREFIX = "fbk-";
const NAME_HASH_DIGITS = 48;
const NUMBER_DIGITS = 7;
const MAX_NUMBER = 10 ** NUMBER_DIGITS - 1;
const LONGEST_DESCRIBED = 80;

/** A hosted data key that bears the name of a version. */
interface NamedVersion {
  readonly dataKey: HostedDataKey;
  readonly number: number;
  readonly version: Uint8Array;
}

/**
 * A store of branch keys over hosted data keys; for backends. A version is a data key whose name is made of the branch key's id and
 * a number; the greatest number is the active one. Only data keys of 32 bytes count that the service made under one of `keyIds`.
 * `getActive` and `getVersion` ask the service twice: for the list of versions, and for the data key. `rewrap` rejects with
 * `ERR_NOT_SUPPORTED`.
 * @param keyIds - ids or aliases of the keys that wrap versions: one under which new ones are made, and former ones
 */
export function hostedBranchKeyStore(service: HostedDataKeyService, keyIds: readonly string[]): BranchKeyAdmin {
  if (!Array.isArray(keyIds) || keyIds.length === 0 || keyIds.some((id) => typeof id !== "string" || id === "")) {
    throw argumentError("the ids of the keys that wrap branch keys expected non-empty texts");
  }
  return new HostedBranchKeys(service, new Set(keyIds));
}

class HostedBranchKeys implements BranchKeyAdmin {
  readonly #service: HostedDataKeyService;
  readonly #keyIds: ReadonlySet<string>;

  constructor(service: HostedDataKeyService, keyIds: ReadonlySet<string>) {
    this.#service = service;
    this.#keyIds = keyIds;
  }

  async getActive(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersion> {
    const active = (await this.#existing(branchKeyId, options)).at(-1) as NamedVersion;
    return this.#open(branchKeyId, active, options);
  }

  async getVersion(branchKeyId: string, version: Uint8Array, options?: CallOptions): Promise<BranchKeyVersion> {
    const wanted = Uint8Array.from(checkBranchKeyVersion(version));
    const found = (await this.#existing(branchKeyId, options)).find((named) => equalBytes(named.version, wanted));
    if (found === undefined) throw branchKeyNotFound(branchKeyId, bytesToHex(wanted));
    return this.#open(branchKeyId, found, options);
  }

  async create(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersionInfo> {
    const named = await this.#named(branchKeyId, options);
    if (named.length > 0) throw branchKeyConflict(branchKeyId, "is there already: rotate it, or choose another id");
    return this.#make(branchKeyId, 1, options);
  }

  async rotate(branchKeyId: string, options?: CallOptions): Promise<BranchKeyVersionInfo> {
    const named = await this.#named(branchKeyId, options);
    if (!named.some(({ dataKey }) => this.#counts(dataKey))) throw branchKeyNotFound(branchKeyId);
    // Also past those that do not count, whose names are taken.
    const number = (named.at(-1)?.number ?? 0) + 1;
    if (number > MAX_NUMBER)
      throw limitError("number of branch key versions", MAX_NUMBER, number, "create another one");
    return this.#make(branchKeyId, number, options);
  }

  async versions(branchKeyId: string, options?: CallOptions): Promise<readonly BranchKeyVersionInfo[]> {
    const existing = await this.#existing(branchKeyId, options);
    const active = existing.at(-1);
    return existing.map((named) => infoOf(branchKeyId, named, named === active));
  }

  async rewrap(branchKeyId: string): Promise<number> {
    throw new FengniError(
      "ERR_NOT_SUPPORTED",
      `branch key ${shown(branchKeyId)} is hosted, and a hosted data key stays with the key that wraps it: rotate it`,
      { details: { operation: "rewrap" } },
    );
  }

  async #make(branchKeyId: string, number: number, options: CallOptions | undefined): Promise<BranchKeyVersionInfo> {
    const name = prefixOf(branchKeyId) + String(number).padStart(NUMBER_DIGITS, "0");
    let dataKeyId: string;
    try {
      dataKeyId = await this.#service.generate(name, descriptionOf(branchKeyId), options);
    } catch (error) {
      if (!isFengniError(error, "ERR_CONFLICT")) throw error;
      throw branchKeyConflict(
        branchKeyId,
        "was created or rotated by somebody else at the same time: use what is there",
      );
    }
    // As the service has it: that it is of the right key, and when it was made.
    const existing = await this.#existing(branchKeyId, options);
    const made = existing.find(({ dataKey }) => dataKey.dataKeyId === dataKeyId);
    if (made !== undefined) return infoOf(branchKeyId, made, made === existing.at(-1));
    throw wrongAnswer(branchKeyId, "it does not list the data key that it made");
  }

  /** Every data key with a name of this branch key, by number. */
  async #named(branchKeyId: string, options: CallOptions | undefined): Promise<readonly NamedVersion[]> {
    const prefix = prefixOf(branchKeyId);
    const named: NamedVersion[] = [];
    for (const dataKey of await this.#service.list(prefix, options)) {
      const digits = dataKey.dataKeyName.startsWith(prefix) ? dataKey.dataKeyName.slice(prefix.length) : "";
      if (!/^[0-9]{7}$/.test(digits)) continue;
      named.push({ dataKey, number: Number(digits), version: versionOf(dataKey.dataKeyId) });
    }
    named.sort((a, b) => a.number - b.number);
    const different = new Set(named.flatMap(({ number, version }) => [number, bytesToHex(version)]));
    if (different.size !== 2 * named.length) throw wrongAnswer(branchKeyId, "it lists a data key twice");
    return named;
  }

  /** The versions, by number; at least one. */
  async #existing(branchKeyId: string, options: CallOptions | undefined): Promise<readonly NamedVersion[]> {
    const named = await this.#named(branchKeyId, options);
    const existing = named.filter(({ dataKey }) => this.#counts(dataKey));
    if (existing.length === 0) throw branchKeyNotFound(branchKeyId);
    return existing;
  }

  /** Who may import data keys, or make them under other keys, must not be able to plant a version that he knows. */
  #counts({ keyId, keyAlias, numberOfBytes, isGenerated }: HostedDataKey): boolean {
    const isOurKey = this.#keyIds.has(keyId) || (keyAlias !== undefined && this.#keyIds.has(keyAlias));
    return isOurKey && isGenerated && numberOfBytes === BRANCH_KEY_BYTES;
  }

  async #open(
    branchKeyId: string,
    { dataKey, version }: NamedVersion,
    options: CallOptions | undefined,
  ): Promise<BranchKeyVersion> {
    const material = await this.#service.plaintext(dataKey.dataKeyId, options);
    if (material.length === BRANCH_KEY_BYTES) return { branchKeyId, version, material };
    wipe(material);
    throw wrongAnswer(branchKeyId, "it gave a data key of the wrong length");
  }
}

/** A name takes letters, digits and "-" only, hence a digest: 192 bits, so that no two ids have one name. */
function prefixOf(branchKeyId: string): string {
  const hash = bytesToHex(digest("sha256", encodeBranchKeyId(branchKeyId))).slice(0, NAME_HASH_DIGITS);
  return `${NAME_PREFIX}${hash}-`;
}

/** The service's id has a form of its own; its digest has 16 bytes. */
function versionOf(dataKeyId: string): Uint8Array {
  return digest("sha256", utf8ToBytes(dataKeyId)).slice(0, BRANCH_KEY_VERSION_BYTES);
}

/** For people who look at the service's list. */
function descriptionOf(branchKeyId: string): string {
  const isPlain = branchKeyId.length <= LONGEST_DESCRIBED && /^[\w.:/@-]+$/.test(branchKeyId);
  return isPlain ? `Fengni branch key ${branchKeyId}` : "Fengni branch key";
}

function infoOf(branchKeyId: string, { dataKey, version }: NamedVersion, active: boolean): BranchKeyVersionInfo {
  return { branchKeyId, version, createdAtMs: dataKey.createdAtMs, active };
}

function wrongAnswer(branchKeyId: string, what: string): FengniError<"ERR_UNAVAILABLE"> {
  const message = `the service answered wrongly for branch key ${shown(branchKeyId)}: ${what}`;
  return new FengniError("ERR_UNAVAILABLE", message);
}
