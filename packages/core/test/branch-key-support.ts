// What the tests of branch keys share: a wrapping key and a store that count what they are asked.
import {
  type BranchKeyAdmin,
  type BranchKeyRecords,
  type BranchKeyStore,
  type BranchKeyVersion,
  branchKeyStore,
  memoryBranchKeyRecords,
  type WrappingKey,
} from "@fengni/core";
import { testKey } from "./support.js";

/** A wrapping key that counts its calls, as a provider would be billed for them. */
export class CountedKey implements WrappingKey {
  readonly name = "counted";
  calls = 0;
  readonly #key: WrappingKey;

  constructor(key: WrappingKey = testKey()) {
    this.#key = key;
  }

  generateDataKey: WrappingKey["generateDataKey"] = (request, options) => {
    this.calls += 1;
    return this.#key.generateDataKey(request, options);
  };

  wrapDataKey: WrappingKey["wrapDataKey"] = (request, options) => {
    this.calls += 1;
    return this.#key.wrapDataKey(request, options);
  };

  unwrapDataKey: WrappingKey["unwrapDataKey"] = (request, options) => {
    this.calls += 1;
    return this.#key.unwrapDataKey(request, options);
  };
}

/** A store in memory with these branch keys, and what counts the calls of its wrapping key. */
export async function storeWith(
  ...branchKeyIds: readonly string[]
): Promise<{ store: BranchKeyAdmin; key: CountedKey; records: BranchKeyRecords }> {
  const key = new CountedKey();
  const records = memoryBranchKeyRecords();
  const store = branchKeyStore({ wrappingKey: key, records });
  for (const branchKeyId of branchKeyIds) await store.create(branchKeyId);
  key.calls = 0;
  return { store, key, records };
}

/** A store with fixed material, that keeps what it gave, and can be told to wait, to fail or to lie. */
export class FixedStore implements BranchKeyStore {
  calls: string[] = [];
  version = 1;
  failure: Error | undefined;
  gate: Promise<void> = Promise.resolve();
  change: (answer: BranchKeyVersion) => BranchKeyVersion = (answer) => answer;
  readonly given: Uint8Array[] = [];

  async getActive(branchKeyId: string): Promise<BranchKeyVersion> {
    this.calls.push(`active ${branchKeyId}`);
    return this.#give(branchKeyId, versionOf(this.version));
  }

  async getVersion(branchKeyId: string, version: Uint8Array): Promise<BranchKeyVersion> {
    this.calls.push(`${version[0]} ${branchKeyId}`);
    return this.#give(branchKeyId, version);
  }

  async #give(branchKeyId: string, version: Uint8Array): Promise<BranchKeyVersion> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    const material = new Uint8Array(32).fill((version[0] as number) + branchKeyId.length);
    this.given.push(material);
    return this.change({ branchKeyId, version, material });
  }
}

export function versionOf(fill: number): Uint8Array {
  return new Uint8Array(16).fill(fill);
}
