// Messages whose stored context no writer would store: with it, keys could be made to wrap or open what is not a message's.

import { generateKeyPairSync, randomBytes } from "node:crypto";
import {
  BranchKeyring,
  branchKeyStore,
  Envelope,
  inspect,
  memoryBranchKeyRecords,
  rawRsaKey,
  rewrapMany,
  type WrappingKey,
} from "@fengni/core";
import { concatBytes } from "@fengni/crypto/bytes";
import { describe, expect, test } from "vitest";
import { serializeContext } from "../src/context.js";
import { deriveMessageKeys } from "../src/derive.js";
import { headerBody, sealHeader } from "../src/sealed-message.js";
import { suiteForWriting } from "../src/suites.js";
import { serializeEncryptedDataKeys, serializeHeader } from "../src/wire/header.js";
import type { EncryptedDataKey } from "../src/wrapping-key.js";
import { testKey } from "./support.js";

const EMPTY = new Uint8Array(0);

/** A message with an empty final frame that does not authenticate, and a header that does. */
async function forged(
  suiteId: number,
  context: Readonly<Record<string, string>>,
  dataKey: Uint8Array,
  encryptedDataKeys: readonly EncryptedDataKey[],
): Promise<Uint8Array> {
  const suite = suiteForWriting(suiteId);
  const messageId = randomBytes(32);
  const keys = deriveMessageKeys(suite, dataKey, messageId);
  const header = serializeHeader({
    suite,
    messageId,
    context: serializeContext(context),
    encryptedDataKeys: serializeEncryptedDataKeys(encryptedDataKeys),
    frameLength: 4096,
    commitment: keys.commitment,
  });
  await sealHeader(header, EMPTY, keys.headerCipher(headerBody(header), EMPTY));
  const final = new Uint8Array(40);
  final.fill(255, 0, 4);
  final[7] = 1;
  return concatBytes(header, final);
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "success",
    (error: { code?: unknown }) => error.code,
  );

describe("a stored context of this library's own formats", () => {
  const kms = testKey("kms", 3);
  const { publicKey, privateKey } = generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  });
  const legacy = { namespace: "legacy", name: "r", padding: "oaep-sha256" } as const;
  const version = randomBytes(16);
  const contexts = {
    "that of a branch key": {
      "fengni-branch-key-id": "acme",
      "fengni-branch-key-version": version.toString("hex"),
      "fengni-purpose": "branch-key",
    },
    "one such pair among others": { tenant: "acme", "fengni-purpose": "branch-key" },
    "a digest of a context": { "fengni-context-digest": "x" },
  };

  for (const [what, context] of Object.entries(contexts)) {
    for (const suiteId of [0x0478, 0xf478]) {
      test(`${what}, suite ${suiteId.toString(16)}: is neither opened nor wrapped anew`, async () => {
        const dataKey = new Uint8Array(randomBytes(32));
        const encryptedDataKey = await rawRsaKey({ ...legacy, publicKey }).wrapDataKey({
          dataKey,
          encryptionContext: context,
        });
        const message = await forged(suiteId, context, dataKey, [encryptedDataKey]);
        let calls = 0;
        const counting: WrappingKey = {
          ...kms,
          wrapDataKey: (request) => {
            calls += 1;
            return kms.wrapDataKey(request);
          },
        };
        const envelope = new Envelope({
          wrappingKeys: [counting],
          unwrappingKeys: [rawRsaKey({ ...legacy, privateKey })],
        });
        for (const work of [
          envelope.rewrap(message),
          envelope.decrypt(message),
          envelope.decryptRange(message, 0, 0),
        ]) {
          expect(await codeOf(work)).toBe("ERR_MESSAGE_INVALID");
        }
        expect((await envelope.explain(message)).verdict).toBe("cannot-open");
        expect(calls).toBe(0);
      });
    }
  }

  test("nor is it reproduced", async () => {
    const envelope = new Envelope({ wrappingKeys: [kms] });
    const message = await envelope.encrypt("text");
    const reproducedContext = { "fengni-purpose": "branch-key" };
    expect(await codeOf(envelope.decrypt(message, { reproducedContext }))).toBe("ERR_CONTEXT_INVALID");
    expect(await codeOf(envelope.rewrap(message, { reproducedContext }))).toBe("ERR_CONTEXT_INVALID");
  });

  test("the same message without such a pair is taken as far as its body", async () => {
    const dataKey = new Uint8Array(randomBytes(32));
    const encryptedDataKey = await rawRsaKey({ ...legacy, publicKey }).wrapDataKey({ dataKey, encryptionContext: {} });
    const message = await forged(0xf478, { tenant: "acme" }, dataKey, [encryptedDataKey]);
    const envelope = new Envelope({ wrappingKeys: [kms], unwrappingKeys: [rawRsaKey({ ...legacy, privateKey })] });
    expect(await codeOf(envelope.rewrap(message))).toBe("success");
    expect(await codeOf(envelope.decrypt(message))).toBe("ERR_AUTHENTICATION");
  });

  test("a branch key's record does not pass for a message's encrypted data key", async () => {
    const records = memoryBranchKeyRecords();
    const store = branchKeyStore({ wrappingKey: kms, records });
    await store.create("acme");
    const record = await records.getActive("acme");
    const { material } = await store.getActive("acme");
    if (record === undefined) throw new Error("there is no record");
    const context = {
      "fengni-branch-key-id": "acme",
      "fengni-branch-key-version": Buffer.from(record.version).toString("hex"),
      "fengni-purpose": "branch-key",
    };
    const message = await forged(0xf478, context, material, [record.encryptedDataKey]);
    expect(await codeOf(new Envelope({ wrappingKeys: [kms] }).decrypt(message))).toBe("ERR_MESSAGE_INVALID");
  });
});

test("a hostile message does not make later ones lose an optional key", async () => {
  const store = branchKeyStore({ wrappingKey: testKey("kms", 3), records: memoryBranchKeyRecords() });
  await store.create("acme");
  const ring = new BranchKeyring({
    store,
    branchKeyIdFor: ({ tenant = "" }) => tenant,
    ttlMs: 60_000,
    maxLoadsPerSecond: 5,
    maxLoadWaitMs: 10,
  });
  const envelope = new Envelope({ wrappingKeys: [testKey()], optionalWrappingKeys: [ring] });
  const options = { encryptionContext: { tenant: "acme" } };
  const good = [await envelope.encrypt("one", options), await envelope.encrypt("two", options)];
  const bogus = Array.from({ length: 10 }, () => ({
    providerId: "fengni-branch",
    providerInfo: concatBytes(Uint8Array.of(1, 0, 4), new TextEncoder().encode("acme"), randomBytes(16)),
    ciphertext: randomBytes(76),
  }));
  const hostile = await forged(0x0478, { tenant: "acme" }, new Uint8Array(32), bogus);
  const outcomes: number[] = [];
  for await (const result of rewrapMany(envelope, [hostile, ...good], { ...options, concurrency: 1 })) {
    outcomes.push("error" in result ? 0 : inspect(result.message).encryptedDataKeys.length);
  }
  expect(outcomes).toEqual([0, 2, 2]);
  ring.close();
});
