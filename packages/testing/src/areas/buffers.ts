// Area: the bytes of requests stay the caller's, and those of answers become the caller's: nothing is changed, kept or shared.
import type { ProviderOperation } from "@fengni/core";
import { concatBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { callWith, rightSamples, type Sample } from "../calls.js";
import type { Area, Kit } from "../kit.js";

/** The byte strings of an answer. */
function bytesOf(answer: object): Uint8Array[] {
  return Object.values(answer).filter((value): value is Uint8Array => value instanceof Uint8Array);
}

function overlap(a: Uint8Array, b: Uint8Array): boolean {
  const ends = a.byteOffset < b.byteOffset + b.length && b.byteOffset < a.byteOffset + a.length;
  return a.buffer === b.buffer && ends && a.length > 0 && b.length > 0;
}

/** Operations that give the same answer to the same request. */
const STEADY: readonly ProviderOperation[] = ["decrypt", "getPublicKey", "asymmetricDecrypt", "postQuantumDecrypt"];

async function answersAreOwn(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  for (const [operation, sample] of await rightSamples(kit)) {
    const first = await check.resolves(callWith(provider, operation, sample), operation);
    const second = await check.resolves(callWith(provider, operation, sample), operation);
    for (const bytes of bytesOf(first)) {
      for (const other of [...bytesOf(second), sample.bytes, ...bytesOf(first).filter((item) => item !== bytes)]) {
        check.isTrue(!overlap(bytes, other), `${operation}: expected an answer whose bytes share no memory`);
      }
    }
    if (!STEADY.includes(operation)) continue;
    const expected = bytesOf(first).map((bytes) => Uint8Array.from(bytes));
    for (const bytes of [...bytesOf(first), ...bytesOf(second)]) bytes.fill(0);
    const third = await check.resolves(callWith(provider, operation, sample), operation);
    for (const [index, bytes] of bytesOf(third).entries()) {
      check.sameBytes(bytes, expected[index] ?? bytes, `${operation}, after its caller wiped an earlier answer`);
    }
  }
}

async function requestsAreNotKept(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  for (const [operation, sample] of await rightSamples(kit)) {
    if (!STEADY.includes(operation)) continue;
    const bytes = Uint8Array.from(sample.bytes);
    const first = await check.resolves(callWith(provider, operation, { ...sample, bytes }), operation);
    bytes.fill(0);
    const second = await check.resolves(callWith(provider, operation, sample), operation);
    const [expected, actual] = [bytesOf(first)[0], bytesOf(second)[0]];
    if (expected && actual)
      check.sameBytes(actual, expected, `${operation}, after its caller wiped an earlier request`);
  }
}

async function plaintextsAreNotKept(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId] = kit.symmetric;
  const plaintext = randomBytes(32);
  const expected = Uint8Array.from(plaintext);
  const encryptionContext: Record<string, string> = { tenant: "7" };
  const { ciphertext } = await check.resolves(provider.encrypt({ keyId, plaintext, encryptionContext }), "encrypt");
  plaintext.fill(0);
  encryptionContext["tenant"] = "8";
  for (let i = 0; i < 2; i++) {
    const request = { ciphertext: Uint8Array.from(ciphertext), encryptionContext: { tenant: "7" } };
    const opened = await check.resolves(provider.decrypt(request), "decrypt");
    check.sameBytes(opened.plaintext, expected, "decrypt, after the plaintext's and the context's buffers changed");
    request.ciphertext.fill(0);
    opened.plaintext.fill(0);
  }
  const wrong = provider.decrypt({ ciphertext, encryptionContext });
  await check.rejects(wrong, ["ERR_AUTHENTICATION"], "decrypt under a context that changed after encrypt");
}

/** The same bytes inside a larger buffer, and as a Buffer where there is one. */
function views(bytes: Uint8Array): Uint8Array[] {
  const inside = concatBytes(randomBytes(13), bytes, randomBytes(7)).subarray(13, 13 + bytes.length);
  const { Buffer } = globalThis;
  return typeof Buffer === "function" ? [inside, Buffer.from(bytes)] : [inside];
}

async function viewsWork(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  for (const [operation, sample] of await rightSamples(kit)) {
    const expected = await check.resolves(callWith(provider, operation, sample), operation);
    for (const bytes of views(sample.bytes)) {
      const answer = await check.resolves(
        callWith(provider, operation, { ...sample, bytes }),
        `${operation} of a view`,
      );
      await sameMeaning(kit, operation, sample, answer, expected);
    }
  }
}

/** That an answer is right: equal where it must be, and valid or openable where it is made anew each time. */
async function sameMeaning(
  kit: Kit,
  operation: ProviderOperation,
  sample: Sample,
  answer: object,
  expected: object,
): Promise<void> {
  const { check, provider } = kit;
  const what = `${operation} of a view into a larger buffer`;
  const [actual, right] = [bytesOf(answer)[0], bytesOf(expected)[0]];
  if (operation === "verify") return check.equal("valid" in answer && answer.valid, true, `${what}: valid`);
  if (actual === undefined || right === undefined) return;
  if (STEADY.includes(operation)) return check.sameBytes(actual, right, what);
  if (operation === "sign" && kit.claims("verify")) {
    const verified = await callWith(provider, "verify", { ...sample, signature: actual });
    check.equal("valid" in verified && verified.valid, true, `${what}: its signature is valid`);
  }
  const opening =
    operation === "encrypt" ? "decrypt" : operation === "postQuantumEncrypt" ? "postQuantumDecrypt" : undefined;
  if (opening === undefined || !kit.claims(opening)) return;
  const opened = await check.resolves(callWith(provider, opening, { ...sample, bytes: actual }), opening);
  check.sameBytes(bytesOf(opened)[0] ?? new Uint8Array(0), sample.bytes, `${what}, opened`);
}

async function requestsMayBeFrozen(kit: Kit): Promise<void> {
  const { check, provider } = kit;
  const [keyId] = kit.symmetric;
  const plaintext = randomBytes(16);
  const encryptionContext = Object.freeze({ b: "1", a: "2" });
  const request = Object.freeze({ keyId, plaintext, encryptionContext });
  const { ciphertext } = await check.resolves(provider.encrypt(request), "encrypt of a frozen request");
  const opening = Object.freeze({ ciphertext, encryptionContext, keyId });
  const opened = await check.resolves(provider.decrypt(opening), "decrypt of a frozen request");
  check.sameBytes(opened.plaintext, plaintext, "a frozen request's plaintext");
  check.equal(Object.keys(encryptionContext).join(), "b,a", "the order of the caller's context");
}

/** Once a call has answered, the bytes of its request and its answer are left alone: not wiped, not used for the next call. */
async function nothingChangesLater(kit: Kit): Promise<void> {
  const { check, provider, timers } = kit;
  const samples = await rightSamples(kit);
  const held: { readonly what: string; readonly bytes: Uint8Array; readonly copy: Uint8Array }[] = [];
  for (const [operation, sample] of samples) {
    const answer = await check.resolves(callWith(provider, operation, sample), operation);
    const hold = (what: string, bytes: Uint8Array): void => {
      held.push({ what: `${operation}: ${what}, a moment later`, bytes, copy: Uint8Array.from(bytes) });
    };
    hold("the bytes of its request", sample.bytes);
    for (const bytes of bytesOf(answer)) hold("the bytes of its answer", bytes);
  }
  for (const [operation, sample] of samples) {
    await check.resolves(callWith(provider, operation, { ...sample, bytes: Uint8Array.from(sample.bytes) }), operation);
  }
  for (const ms of [0, 20]) {
    await timers.turn(ms);
    for (const { what, bytes, copy } of held) check.sameBytes(bytes, copy, what);
  }
}

/** Buffers. */
export const buffers: Area = {
  name: "buffers",
  checks: [
    { name: "answers share no memory, and can be wiped", needs: {}, run: answersAreOwn },
    { name: "requests are not kept", needs: {}, run: requestsAreNotKept },
    { name: "requests and answers stay as they are", needs: {}, run: nothingChangesLater },
    {
      name: "plaintexts and contexts are not kept",
      needs: { operations: ["encrypt", "decrypt"] },
      run: plaintextsAreNotKept,
    },
    { name: "views into larger buffers work", needs: {}, run: viewsWork },
    { name: "frozen requests work", needs: { operations: ["encrypt", "decrypt"] }, run: requestsMayBeFrozen },
  ],
};
