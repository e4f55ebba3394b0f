import * as nodeCrypto from "node:crypto";
import { describe, expect, it } from "vitest";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "../src/bytes.js";
import { digest } from "../src/hash.js";
import { runtimeReport } from "../src/report.js";
import {
  generateSlhDsaKey,
  importSlhDsaPrivateKey,
  importSlhDsaPublicKey,
  importSlhDsaRawKey,
  type SlhDsaParameterSet,
  slhDsaImplementations,
  slhDsaPublicKeyFromSpki,
  slhDsaPublicKeyToSpki,
} from "../src/slh-dsa.js";
import { slhDsaSet } from "../src/slh-dsa-checked.js";
import { nobleSlhDsaKey } from "../src/slh-dsa-noble.js";
import { assertSame, codeOf } from "./wycheproof.js";

const implementations = slhDsaImplementations();
const hasNative = Number(process.versions.node.split(".")[0]) >= 24;
const families = ["SHA2", "SHAKE"] as const;
const sets: readonly SlhDsaParameterSet[] = families.flatMap((family) =>
  ([128, 192, 256] as const).flatMap((bits) => [`SLH-DSA-${family}-${bits}s`, `SLH-DSA-${family}-${bits}f`] as const),
);
/** Those that noble signs with in less than half a second. */
const fast = ["SLH-DSA-SHA2-128f", "SLH-DSA-SHA2-192f", "SLH-DSA-SHA2-256f", "SLH-DSA-SHAKE-128f"] as const;
const text = utf8ToBytes("a message");
const context = utf8ToBytes("a use");

/** The key of the seed 00 01 02 .., by noble: node:crypto makes none from a seed. */
function keyOf(set: SlhDsaParameterSet): Uint8Array {
  const row = slhDsaSet(set);
  return nobleSlhDsaKey(
    row,
    new Uint8Array(row.seedBytes).map((_, index) => index),
  );
}

it("runs noble everywhere, and node first where it has SLH-DSA", () => {
  expect(implementations.map(({ name }) => name)).toEqual(hasNative ? ["node", "noble"] : ["noble"]);
  expect(runtimeReport().find(({ primitive }) => primitive === "SLH-DSA")).toMatchObject({
    chosen: hasNative ? "node" : "noble",
  });
});

describe.each(implementations)("SLH-DSA by $name", (implementation) => {
  it.each([
    // SHA-256 of the signature without randomness; OpenSSL 3.5.8 (Node 26.10) verified each, and does so below where it is there.
    ["SLH-DSA-SHA2-128f", "7617dad76f2630d1e3a600ea53d1003767836951134e91a9cbe3858bfa41ef71"],
    ["SLH-DSA-SHA2-192f", "404b593bb2f4a647d27074ff7769ff79a6fe64b3c9af8d43dfbb8ff5c6c89de7"],
    ["SLH-DSA-SHA2-256f", "6322180075d7836beabfce031d2d646970f1513ac5cb36e0f4d0638f7711131f"],
    ["SLH-DSA-SHAKE-128f", "c1f8f6ecd874bcb13c0ccb348cce275972773c4b2ca197ff5d8c0a73cfdd02df"],
  ] as const)("%s signs the same without randomness, and another each time with it", (set, expected) => {
    const raw = keyOf(set);
    const key = implementation.importRawKey(set, raw);
    const signature = key.sign(text, { context, deterministic: true });
    expect(bytesToHex(digest("sha256", signature))).toBe(expected);
    const fresh = key.sign(text, { context });
    expect(fresh).toHaveLength(slhDsaSet(set).signatureBytes);
    expect(Buffer.isBuffer(fresh)).toBe(false);
    expect(Buffer.compare(fresh, signature)).not.toBe(0);
    for (const other of implementations) {
      const half = other.importPublicKey(set, key.publicKey);
      for (const each of [signature, fresh]) {
        expect(half.verify(text, each, { context })).toBe(true);
        expect(half.verify(text, each)).toBe(false);
        expect(half.verify(text, each, { context: text })).toBe(false);
        expect(half.verify(context, each, { context })).toBe(false);
      }
    }
  });

  it.each(sets)("%s: reads and writes keys, and refuses all other bytes", async (set) => {
    // Not a key that signs: the root is not checked.
    const raw = new Uint8Array(slhDsaSet(set).expandedBytes).map((_, index) => index);
    const n = raw.length / 4;
    const key = implementation.importRawKey(set, raw);
    expect(key.parameterSet).toBe(set);
    assertSame(key.publicKey, raw.subarray(2 * n));
    assertSame(key.exportRaw(), raw);
    const pkcs8 = key.exportPkcs8();
    assertSame(pkcs8.subarray(-raw.length), raw);
    assertSame(implementation.importPrivateKey(set, pkcs8).exportRaw(), raw);
    const spki = slhDsaPublicKeyToSpki(set, key.publicKey);
    assertSame(slhDsaPublicKeyFromSpki(set, spki), key.publicKey);
    const refused = [pkcs8.subarray(1), pkcs8.subarray(0, -1), concatBytes(pkcs8, Uint8Array.of(0)), raw, spki];
    for (const other of sets.filter((name) => name !== set)) refused.push(withOid(pkcs8, other));
    for (const bytes of refused) {
      expect(await codeOf(() => implementation.importPrivateKey(set, bytes))).toBe("ERR_KEY_INVALID");
    }
    for (const bytes of [spki.subarray(1), concatBytes(spki, Uint8Array.of(0)), key.publicKey, pkcs8]) {
      expect(await codeOf(() => slhDsaPublicKeyFromSpki(set, bytes))).toBe("ERR_KEY_INVALID");
    }
    for (const length of [0, 2 * n - 1, 2 * n + 1, 4 * n]) {
      expect(await codeOf(() => implementation.importPublicKey(set, new Uint8Array(length)))).toBe("ERR_KEY_INVALID");
      expect(await codeOf(() => slhDsaPublicKeyToSpki(set, new Uint8Array(length)))).toBe("ERR_KEY_INVALID");
      if (length < 4 * n)
        expect(await codeOf(() => implementation.importRawKey(set, new Uint8Array(length)))).toBe("ERR_KEY_INVALID");
    }
  });

  it("rejects every changed, cut and prolonged signature, and never throws", () => {
    const set = "SLH-DSA-SHA2-128f";
    const key = implementation.generateKey(set);
    const half = implementation.importPublicKey(set, key.publicKey);
    const signature = key.sign(text);
    expect(half.verify(text, signature)).toBe(true);
    for (let at = 0; at < signature.length; at += 211) {
      const changed = Uint8Array.from(signature);
      changed[at] = (changed[at] as number) ^ (1 << (at & 7));
      expect(half.verify(text, changed)).toBe(false);
    }
    for (const wrong of [
      new Uint8Array(0),
      signature.subarray(1),
      concatBytes(signature, Uint8Array.of(0)),
      new Uint8Array(signature.length),
    ]) {
      expect(half.verify(text, wrong)).toBe(false);
    }
    const other = implementation.importPublicKey(set, implementation.generateKey(set).publicKey);
    expect(other.verify(text, signature)).toBe(false);
  });

  it("keeps nothing of the buffers it is given, and gives its own away as copies", () => {
    const set = "SLH-DSA-SHA2-128f";
    const [raw, own] = [keyOf(set), keyOf(set)];
    const key = implementation.importRawKey(set, own);
    const publicKey = key.publicKey;
    const half = implementation.importPublicKey(set, publicKey);
    for (const buffer of [own, publicKey, half.publicKey, key.publicKey, key.exportRaw(), key.exportPkcs8()])
      buffer.fill(0);
    assertSame(key.exportRaw(), raw);
    assertSame(half.publicKey, raw.subarray(32));
    expect(half.verify(text, key.sign(text))).toBe(true);
  });

  it("refuses wrong arguments", () => {
    const set = "SLH-DSA-SHA2-128f";
    const key = implementation.importRawKey(set, keyOf(set));
    const half = implementation.importPublicKey(set, key.publicKey);
    const wrong = "text" as unknown as Uint8Array;
    for (const call of [
      () => implementation.importRawKey(set, wrong),
      () => implementation.importPrivateKey(set, wrong),
      () => implementation.importPublicKey(set, wrong),
      () => key.sign(wrong),
      () => key.sign(text, { context: wrong }),
      () => key.sign(text, { ctx: text } as object),
      () => half.verify(wrong, text),
      () => half.verify(text, wrong),
      () => half.verify(text, text, { deterministic: true } as object),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "TypeError", code: "ERR_ARGUMENT" }));
    }
    for (const call of [
      () => key.sign(text, { context: new Uint8Array(256) }),
      () => half.verify(text, text, { context: new Uint8Array(256) }),
      () => implementation.generateKey("SLH-DSA-SHA2-64f" as SlhDsaParameterSet),
      () => implementation.generateKey("constructor" as SlhDsaParameterSet),
    ]) {
      expect(call).toThrow(expect.objectContaining({ name: "RangeError", code: "ERR_ARGUMENT" }));
    }
  });
});

/** The same PKCS#8 under the identifier of another parameter set. */
function withOid(pkcs8: Uint8Array, set: SlhDsaParameterSet): Uint8Array {
  const changed = Uint8Array.from(pkcs8);
  const at = Buffer.from(pkcs8).indexOf(hexToBytes("060960864801650304"));
  changed[at + 10] = slhDsaSet(set).oid[8] as number;
  return changed;
}

describe.runIf(hasNative)("node:crypto itself", () => {
  // Types of an older Node.
  const native = nodeCrypto as unknown as {
    generateKeyPairSync(type: string): Record<"publicKey" | "privateKey", nodeCrypto.KeyObject>;
  };
  const withContext = (key: nodeCrypto.KeyObject): nodeCrypto.KeyObject =>
    ({ key, context }) as unknown as nodeCrypto.KeyObject;

  // The other small ones take OpenSSL a second for a signature, and noble more.
  const slow = ["SLH-DSA-SHAKE-192s", "SLH-DSA-SHAKE-256s"];
  const chosen = sets.filter((set) => process.env["SLOW"] === "1" || !slow.includes(set));
  it.each(chosen)("%s: its keys are read, its signatures verify, and it reads ours", (set) => {
    const { privateKey, publicKey } = native.generateKeyPairSync(set.toLowerCase());
    const spki = publicKey.export({ format: "der", type: "spki" });
    const pkcs8 = privateKey.export({ format: "der", type: "pkcs8" });
    const raw = slhDsaPublicKeyFromSpki(set, spki);
    assertSame(slhDsaPublicKeyToSpki(set, raw), spki);
    const signature = nodeCrypto.sign(null, text, withContext(privateKey));
    for (const implementation of implementations) {
      const half = implementation.importPublicKey(set, raw);
      expect(half.verify(text, signature, { context })).toBe(true);
      expect(half.verify(text, signature)).toBe(false);
      const key = implementation.importPrivateKey(set, pkcs8);
      assertSame(key.publicKey, raw);
      assertSame(key.exportPkcs8(), pkcs8);
      if (!fast.includes(set as (typeof fast)[number]) && process.env["SLOW"] !== "1") continue;
      expect(nodeCrypto.verify(null, text, withContext(publicKey), key.sign(text, { context }))).toBe(true);
      expect(nodeCrypto.verify(null, text, publicKey, key.sign(text, { deterministic: true }))).toBe(true);
    }
  });
});

it("offers the chosen implementation as functions", () => {
  const set = fast[0];
  const key = generateSlhDsaKey(set);
  const half = importSlhDsaPublicKey(set, key.publicKey);
  expect(half.parameterSet).toBe(set);
  for (const read of [importSlhDsaRawKey(set, key.exportRaw()), importSlhDsaPrivateKey(set, key.exportPkcs8())]) {
    expect(half.verify(text, read.sign(text, { context }), { context })).toBe(true);
  }
  // Under another root nothing verifies, not even under that one.
  const changed = key.exportRaw();
  changed[63] = (changed[63] as number) ^ 1;
  const wrong = importSlhDsaRawKey(set, changed);
  const signature = wrong.sign(text);
  expect(half.verify(text, signature)).toBe(false);
  expect(importSlhDsaPublicKey(set, wrong.publicKey).verify(text, signature)).toBe(false);
});
