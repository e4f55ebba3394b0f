// What the tests of fields share: branch keys of fixed material in several versions, and values of every type.
import { createHash } from "node:crypto";
import {
  BranchKeyring,
  type BranchKeyStore,
  type BranchKeyVersion,
  FengniError,
  type FieldValue,
  type JsonValue,
} from "@fengni/core";
import fc from "fast-check";

export const VERSION_1: Uint8Array = new Uint8Array(16).fill(0xa1);
export const VERSION_2: Uint8Array = new Uint8Array(16).fill(0xb2);

/** The material of a version, as the tests know it. */
export function materialOf(branchKeyId: string, version: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(branchKeyId).update(version).digest());
}

/** Every id has two versions; which one is active can be set. */
export class TwoVersions implements BranchKeyStore {
  active: Uint8Array = VERSION_1;
  calls = 0;

  getActive(branchKeyId: string): Promise<BranchKeyVersion> {
    return this.getVersion(branchKeyId, this.active);
  }

  async getVersion(branchKeyId: string, version: Uint8Array): Promise<BranchKeyVersion> {
    this.calls += 1;
    if (![VERSION_1, VERSION_2].some((known) => Buffer.compare(known, version) === 0)) {
      throw new FengniError("ERR_KEY_NOT_FOUND", "there is no such version", { details: { keyId: branchKeyId } });
    }
    return { branchKeyId, version: version.slice(), material: materialOf(branchKeyId, version) };
  }
}

/** A keyring whose branch key is the context's tenant. */
export function keyringOver(store: BranchKeyStore = new TwoVersions()): BranchKeyring {
  return new BranchKeyring({ store, branchKeyIdFor: ({ tenant }) => tenant ?? "", ttlMs: 3_600_000 });
}

const doubles = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1, -1, 2 ** 53, 2 ** 53 - 1, Number.MIN_VALUE, Number.MAX_VALUE, 0.1),
);
const texts = fc.string({ unit: "grapheme", maxLength: 40 });
const keys = fc.oneof(
  fc.string({ maxLength: 8 }),
  fc.constantFrom("__proto__", "constructor", "toString", "a.b", "", "*"),
);

/** JSON of every kind, keys included that would change a prototype. */
export const jsonValues: fc.Arbitrary<JsonValue> = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(null, true, false),
    doubles,
    texts,
    fc.array(tie("value"), { maxLength: 4 }),
    // Entries become own members, `__proto__` too.
    fc
      .uniqueArray(fc.tuple(keys, tie("value")), { maxLength: 4, selector: ([key]) => key })
      .map((entries) => Object.fromEntries(entries) as JsonValue),
  ),
})).value;

/** Values of every type that a field holds. */
export const fieldValues: fc.Arbitrary<FieldValue> = fc.oneof(
  jsonValues,
  fc.bigInt(),
  fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n }),
  fc.date({ noInvalidDate: true }),
  fc.uint8Array({ maxLength: 80 }),
);

/** Changes one byte. */
export function changed(bytes: Uint8Array, at: number, by = 1): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] as number) ^ by;
  return copy;
}
