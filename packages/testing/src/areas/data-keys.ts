// Area: data keys have the length asked for, are never the same twice, and open under their key and context only.
import { bytesToHex } from "@fengni/crypto/bytes";
import { sealUnder } from "../calls.js";
import type { Area, Kit } from "../kit.js";
import { CHANGED_CODES, containsBytes, flips, hasRepeatedMask } from "../mutations.js";

const PARALLEL = 32;
/** How many data keys are compared for masks, which takes a while each. */
const MASKED = 1000;

async function lengths(kit: Kit): Promise<void> {
  const { check, provider, symmetric } = kit;
  const { minimum, maximum } = provider.capabilities.dataKeyBytes;
  const asked = new Set([minimum, 16, 24, 31, 32, 33, 64, maximum].filter((n) => n >= minimum && n <= maximum));
  for (const keyId of symmetric) {
    const full = await provider.resolveKeyId(keyId);
    for (const numberOfBytes of asked) {
      const what = `a data key of ${numberOfBytes} bytes`;
      const dataKey = await check.resolves(provider.generateDataKey({ keyId, numberOfBytes }), what);
      check.equal(dataKey.keyId, full, `${what}: its keyId`);
      check.isBytes(dataKey.plaintext, `${what}: its plaintext`);
      check.equal(dataKey.plaintext.length, numberOfBytes, `${what}: its length`);
      check.isBytes(dataKey.ciphertext, `${what}: its ciphertext`);
      if (!kit.claims("decrypt")) continue;
      const opened = await check.resolves(provider.decrypt({ ciphertext: dataKey.ciphertext }), `decrypt of ${what}`);
      check.sameBytes(opened.plaintext, dataKey.plaintext, `${what}, decrypted`);
      check.equal(opened.keyId, full, `${what}, decrypted: its keyId`);
    }
  }
}

async function refusedLengths(kit: Kit): Promise<void> {
  const { check, provider, symmetric } = kit;
  const { minimum, maximum } = provider.capabilities.dataKeyBytes;
  const [keyId] = symmetric;
  for (const numberOfBytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, minimum - 1]) {
    await check.refuses(provider.generateDataKey({ keyId, numberOfBytes }), `a data key of ${numberOfBytes} bytes`);
  }
  for (const numberOfBytes of [maximum + 1, 2 ** 32 + minimum]) {
    const call = provider.generateDataKey({ keyId, numberOfBytes });
    await check.rejects(call, ["ERR_LIMIT"], `a data key of ${numberOfBytes} bytes, more than the limit`);
  }
}

async function unique(kit: Kit): Promise<void> {
  const { check, provider, symmetric, settings } = kit;
  const { minimum, maximum } = provider.capabilities.dataKeyBytes;
  const numberOfBytes = Math.max(minimum, Math.min(32, maximum));
  const made: { readonly plaintext: Uint8Array; readonly ciphertext: Uint8Array }[] = [];
  while (made.length < settings.uniqueDataKeys) {
    const count = Math.min(PARALLEL, settings.uniqueDataKeys - made.length);
    const batch = Array.from({ length: count }, (_value, index) =>
      provider.generateDataKey({ keyId: symmetric[index % 2] as string, numberOfBytes }),
    );
    made.push(...(await check.resolves(Promise.all(batch), "generateDataKey in parallel")));
  }
  const isUnique = (parts: readonly string[]): boolean => new Set(parts).size === made.length;
  check.isTrue(isUnique(made.map(({ plaintext }) => bytesToHex(plaintext))), "data keys: expected no plaintext twice");
  check.isTrue(
    isUnique(made.map(({ ciphertext }) => bytesToHex(ciphertext))),
    "data keys: expected no ciphertext twice",
  );
  // Two of 10,000 random strings of 15 bytes are the same with a chance below 2^-90.
  if (numberOfBytes >= 32) {
    const half = (from: number): string[] =>
      made.map(({ plaintext }) => bytesToHex(plaintext.subarray(from, from + 15)));
    check.isTrue(isUnique(half(0)) && isUnique(half(17)), "data keys: expected no half of a plaintext twice");
  }
  const shows = made.some(({ plaintext, ciphertext }) => plaintext.length >= 8 && containsBytes(ciphertext, plaintext));
  check.isTrue(!shows, "data keys: expected no plaintext inside its ciphertext");
  const isLong = numberOfBytes >= 16;
  check.isTrue(!isLong || !hasRepeatedMask(made.slice(0, MASKED)), "data keys: expected that no nonce comes twice");
  looksRandom(
    kit,
    made.map(({ plaintext }) => plaintext),
  );
}

/** A coarse look only: it finds bytes that stand still and bits that lean. */
function looksRandom(kit: Kit, plaintexts: readonly Uint8Array[]): void {
  const count = plaintexts.length;
  if (count < 500) return;
  const length = plaintexts[0]?.length ?? 0;
  for (let index = 0; index < length; index++) {
    const values = new Set(plaintexts.map((bytes) => bytes[index]));
    kit.check.isTrue(
      values.size > 128,
      `data keys: expected byte ${index} to take most values, it took ${values.size}`,
    );
    for (let bit = 0; bit < 8; bit++) {
      const ones = plaintexts.filter((bytes) => ((bytes[index] as number) >> bit) & 1).length;
      // Seven standard deviations of a fair bit.
      const leans = Math.abs(ones - count / 2) > 3.5 * Math.sqrt(count);
      kit.check.isTrue(
        !leans,
        `data keys: expected bit ${bit} of byte ${index} to be fair, it is set in ${ones} of ${count}`,
      );
    }
  }
}

async function bound(kit: Kit): Promise<void> {
  const { check, provider, symmetric } = kit;
  const [keyId, other] = symmetric;
  const encryptionContext = { tenant: "7", table: "users" };
  const request = { keyId, numberOfBytes: Math.max(32, provider.capabilities.dataKeyBytes.minimum), encryptionContext };
  const { ciphertext, plaintext } = await check.resolves(
    provider.generateDataKey(request),
    "a data key with a context",
  );
  const opened = await check.resolves(
    provider.decrypt({ ciphertext, encryptionContext, keyId }),
    "decrypt of a data key",
  );
  check.sameBytes(opened.plaintext, plaintext, "a data key, decrypted under its context");
  for (const wrong of [
    undefined,
    {},
    { tenant: "7" },
    { tenant: "8", table: "users" },
    { ...encryptionContext, a: "b" },
  ]) {
    const call = provider.decrypt({ ciphertext, ...(wrong && { encryptionContext: wrong }) });
    await check.rejects(call, ["ERR_AUTHENTICATION"], "decrypt of a data key under another context");
  }
  const call = provider.decrypt({ ciphertext, encryptionContext, keyId: other });
  await check.rejects(call, ["ERR_NO_MATCHING_KEY"], "decrypt of a data key with another key named");
  for (const { name, bytes } of flips(ciphertext)) {
    const changed = provider.decrypt({ ciphertext: bytes, encryptionContext });
    await check.rejects(changed, CHANGED_CODES, `decrypt of a data key's ciphertext with ${name}`);
  }
}

async function interchangeable(kit: Kit): Promise<void> {
  const { check, provider, symmetric } = kit;
  const [keyId] = symmetric;
  const sealed = await sealUnder(kit, keyId);
  const { ciphertext } = await check.resolves(
    provider.generateDataKey({ keyId, numberOfBytes: 32 }),
    "generateDataKey",
  );
  check.otherBytes(ciphertext, sealed.ciphertext, "a data key's ciphertext and another");
  await check.rejects(
    provider.generateDataKey({ keyId: "no-such-key-of-the-kit", numberOfBytes: 32 }),
    ["ERR_KEY_NOT_FOUND"],
    "a data key of an unknown key",
  );
}

const needs = { operations: ["generateDataKey"] } as const;

/** Data keys. */
export const dataKeys: Area = {
  name: "data-keys",
  checks: [
    { name: "they have the length asked for, and open", needs, run: lengths },
    { name: "lengths outside the limits are refused", needs, run: refusedLengths },
    { name: "none comes twice, in either form", needs, run: unique },
    { name: "they are bound to key and context", needs: { operations: ["generateDataKey", "decrypt"] }, run: bound },
    { name: "they come from known keys only", needs, run: interchangeable },
  ],
};
