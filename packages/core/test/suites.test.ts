// The suites of our own as applications meet them: round trips, what their context must hold, who refuses them, and what the
// table says. Their bytes are the business of suites-vectors.test.ts.
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import {
  buildClient,
  CommitmentPolicy,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
} from "@aws-crypto/client-node";
import {
  algorithmSuites,
  Envelope,
  GM_SUITES,
  inspect,
  OWN_PUBLIC_KEY_CONTEXT_KEY,
  PUBLIC_KEY_CONTEXT_KEY,
  rawAesKey,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  SUITE_COMMITTED_SIGNED_ML_DSA,
  SUITE_REWRAPPABLE,
  SUITE_REWRAPPABLE_SIGNED,
  SUITE_SM4,
  SUITE_SM4_SIGNED,
  serializeContext,
  type WritableSuiteId,
} from "@fengni/core";
import { createEncryptStream } from "@fengni/core/node";
import { generateSm2Key } from "@fengni/crypto/sm2";
import { describe, expect, test } from "vitest";
import { deriveMessageKeys } from "../src/derive.js";
import { createMessageVerifier, generateMessageSigningKey } from "../src/message-signature.js";
import { suiteOfMessage } from "../src/suites.js";
import { parseHeader, serializeEncryptedDataKeys, serializeHeader } from "../src/wire/header.js";
import { bytesOf, chunksOf, joined, readings, refusal, testKey } from "./support.js";

const SUITES: Readonly<Record<string, WritableSuiteId>> = {
  "0xf128, SM4": SUITE_SM4,
  "0xf228, SM4, SM2": SUITE_SM4_SIGNED,
  "0xf378, AES, ML-DSA-65": SUITE_COMMITTED_SIGNED_ML_DSA,
  "0xf478, AES": SUITE_REWRAPPABLE,
  "0xf578, AES, ECDSA": SUITE_REWRAPPABLE_SIGNED,
};
const cases = Object.entries(SUITES);
const envelope = new Envelope({ wrappingKeys: [testKey("a"), testKey("b", 9)], frameLength: 100 });
const encryptionContext = { purpose: "test", é: "7" };

describe.each(cases)("suite %s", (_name, suite) => {
  test("what is written in every way is read in every way", async () => {
    for (const length of [0, 1, 99, 100, 101, 300, 777]) {
      const plaintext = bytesOf(length, length);
      const options = { suite, encryptionContext };
      const messages = [await envelope.encrypt(plaintext, options)];

      const encryptor = envelope.createEncryptor(options);
      const pieces: Uint8Array[] = [];
      for (const chunk of chunksOf(plaintext, 1)) pieces.push(...(await encryptor.update(chunk)));
      pieces.push(...(await encryptor.final()));
      messages.push(joined(pieces));

      const web: Uint8Array[] = [];
      const source = new Blob([new Uint8Array(plaintext)]).stream() as ReadableStream<Uint8Array>;
      for await (const piece of source.pipeThrough(envelope.encryptStream(options))) web.push(piece);
      messages.push(joined(web));

      const node: Uint8Array[] = [];
      const input = Readable.from(chunksOf(plaintext, 33));
      await pipeline(input, createEncryptStream(envelope, options), async (output) => {
        for await (const piece of output) node.push(piece);
      });
      messages.push(joined(node));

      for (const message of messages) {
        expect(inspect(message).suite).toMatchObject({ id: `0x${suite.toString(16)}`, committing: true });
        for (const read of Object.values(readings)) {
          expect(await read(envelope, message, { encryptionContext })).toEqual(plaintext);
        }
      }
    }
  });

  test("long frames, an unstored pair, the envelope's own suite, and a cached data key", async () => {
    const cached = new Envelope({ wrappingKeys: [testKey()], suite, cache: { maxAgeMs: 60_000 } });
    const options = { encryptionContext: { a: "1", b: "2" }, unstoredContextKeys: ["b"] };
    for (const length of [5, 200_000]) {
      const message = await cached.encrypt(bytesOf(length), options);
      expect(inspect(message).encryptionContext).not.toHaveProperty("b");
      const reading = { reproducedContext: { b: "2" }, encryptionContext: { a: "1", b: "2" } };
      for (const opener of [cached, new Envelope({ wrappingKeys: [testKey()] })]) {
        const { plaintext } = await opener.decrypt(message, reading);
        expect(Buffer.from(plaintext).equals(bytesOf(length))).toBe(true);
        await refusal(
          opener.decrypt(message, { reproducedContext: { b: "3" } }),
          "ERR_UNWRAP_FAILED",
          "ERR_AUTHENTICATION",
        );
        await refusal(opener.decrypt(message), "ERR_UNWRAP_FAILED", "ERR_AUTHENTICATION");
      }
    }
    cached.close();
  });

  test("is refused by a reader that does not name it, and by one of signed messages where it signs", async () => {
    const message = await envelope.encrypt("x", { suite });
    const strict = new Envelope({ wrappingKeys: [testKey("a")], readableSuites: [SUITE_COMMITTED] });
    await refusal(strict.decrypt(message), "ERR_MESSAGE_UNSUPPORTED");
    await refusal(strict.encrypt("x", { suite }), "ERR_NOT_SUPPORTED");
    const own = new Envelope({ wrappingKeys: [testKey("a")], suite, readableSuites: [suite] });
    expect(await own.decryptText(message)).toBe("x");

    const streamed = envelope.createDecryptor({ refuseSigned: true });
    if (inspect(message).suite.signed) await refusal(streamed.update(message), "ERR_MESSAGE_UNSUPPORTED");
    else expect(joined(await streamed.update(message))).toEqual(new TextEncoder().encode("x"));
  });

  test("is refused by the AWS client, which opens 0x0478 under the same key", async () => {
    const key = bytesOf(32, 3);
    const names = { keyNamespace: "aws", keyName: "key" };
    const wrappingSuite = RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING;
    const keyring = new RawAesKeyringNode({ ...names, unencryptedMasterKey: new Uint8Array(key), wrappingSuite });
    const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
    const shared = new Envelope({ wrappingKeys: [rawAesKey({ namespace: "aws", name: "key", key })] });

    const known = await client.decrypt(keyring, Buffer.from(await shared.encrypt("x", { suite: SUITE_COMMITTED })));
    expect(known.plaintext.toString()).toBe("x");
    const message = await shared.encrypt("x", { suite });
    expect(await shared.decryptText(message)).toBe("x");
    await expect(client.decrypt(keyring, Buffer.from(message))).rejects.toThrowError(/suite/i);
  });

  test("whatever a cipher of another suite makes of it is refused", async () => {
    const message = await envelope.encrypt(bytesOf(150), { suite });
    for (const other of algorithmSuites().filter((row) => row.messageVersion === 2 && row.id !== suite)) {
      const changed = message.slice();
      changed.set([other.id >> 8, other.id & 0xff], 1);
      await refusal(envelope.decrypt(changed), "ERR_AUTHENTICATION", "ERR_MESSAGE_INVALID", "ERR_MESSAGE_TRUNCATED");
    }
  });
});

describe("verification keys in the context", () => {
  const point = Buffer.from(generateMessageSigningKey("SM2").publicKey);
  const p384 = Buffer.from(generateMessageSigningKey("ECDSA_P384").publicKey);
  const mlDsa = Buffer.from(generateMessageSigningKey("ML_DSA_65").publicKey);
  const AWS = PUBLIC_KEY_CONTEXT_KEY;
  const OWN = OWN_PUBLIC_KEY_CONTEXT_KEY;

  /** A message's beginning with this context: as far as a reader comes before it asks for a key. */
  function headerWith(suite: number, context: Readonly<Record<string, string>>): Uint8Array {
    return serializeHeader({
      suite: suiteOfMessage(suite, 2),
      messageId: bytesOf(32),
      context: serializeContext(context),
      encryptedDataKeys: serializeEncryptedDataKeys([
        { providerId: "test", providerInfo: bytesOf(4), ciphertext: bytesOf(48) },
      ]),
      frameLength: 16,
      commitment: bytesOf(32),
    });
  }

  async function reason(suite: number, context: Readonly<Record<string, string>>): Promise<string> {
    const error: unknown = await envelope.decrypt(headerWith(suite, context)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: expect.stringMatching(/^ERR_(MESSAGE_INVALID|NO_MATCHING_KEY)$/) });
    return (error as Error).message;
  }

  test("the right one alone is taken", async () => {
    const right: readonly [number, string, Buffer][] = [
      [SUITE_SM4_SIGNED, OWN, point],
      [SUITE_COMMITTED_SIGNED_ML_DSA, OWN, mlDsa],
      [SUITE_REWRAPPABLE_SIGNED, AWS, p384],
      [SUITE_COMMITTED_SIGNED, AWS, p384],
    ];
    for (const [suite, key, value] of right) {
      const text = value.toString("base64");
      expect(await reason(suite, { [key]: text })).toMatch(/no configured wrapping key/);
      const other = key === OWN ? AWS : OWN;
      expect(await reason(suite, {})).toMatch(/context lacks/);
      expect(await reason(suite, { [other]: text })).toMatch(/carries/);
      expect(await reason(suite, { [key]: text, [other]: text })).toMatch(/carries/);
    }
    const messages = right.map(async ([suite, key, value]) => {
      const { encryptionContext: context } = inspect(await envelope.encrypt("x", { suite: suite as WritableSuiteId }));
      expect(Object.keys(context)).toEqual([key]);
      expect(Buffer.from(context[key] ?? "", "base64")).toHaveLength(value.length);
    });
    await Promise.all(messages);
  });

  test("none is taken of a suite that does not sign", async () => {
    for (const suite of [SUITE_COMMITTED, SUITE_SM4, SUITE_REWRAPPABLE]) {
      expect(await reason(suite, {})).toMatch(/no configured wrapping key/);
      for (const key of [AWS, OWN]) expect(await reason(suite, { [key]: "" })).toMatch(/does not sign/);
    }
  });

  test("of another form, or of another algorithm, they are refused", async () => {
    const whole = generateSm2Key().publicKey;
    const wrong: readonly [number, string, Uint8Array][] = [
      [SUITE_SM4_SIGNED, OWN, whole.point],
      [SUITE_SM4_SIGNED, OWN, whole.exportSpki()],
      [SUITE_SM4_SIGNED, OWN, new TextEncoder().encode(whole.exportSpkiPem())],
      [SUITE_SM4_SIGNED, OWN, new Uint8Array(33).fill(0xff).fill(2, 0, 1)],
      [SUITE_SM4_SIGNED, OWN, new Uint8Array(33).fill(4, 0, 1)],
      [SUITE_SM4_SIGNED, OWN, mlDsa],
      [SUITE_SM4_SIGNED, OWN, new Uint8Array(0)],
      [SUITE_COMMITTED_SIGNED_ML_DSA, OWN, mlDsa.subarray(1)],
      [SUITE_COMMITTED_SIGNED_ML_DSA, OWN, point],
      [SUITE_REWRAPPABLE_SIGNED, AWS, point],
      [SUITE_REWRAPPABLE_SIGNED, AWS, new Uint8Array(49).fill(0xff).fill(2, 0, 1)],
    ];
    for (const [suite, key, bytes] of wrong) {
      const text = Buffer.from(bytes).toString("base64");
      expect(await reason(suite, { [key]: text })).toMatch(/no key of its algorithm/);
    }
    expect(await reason(SUITE_SM4_SIGNED, { [OWN]: ` ${point.toString("base64")}` })).toMatch(
      /no key of its algorithm/,
    );
  });

  test("callers cannot give them", async () => {
    for (const key of [AWS, OWN]) {
      await refusal(envelope.encrypt("x", { encryptionContext: { [key]: "x" } }), "ERR_CONTEXT_INVALID");
    }
  });
});

describe("signatures of messages in parts", () => {
  test.each(["ECDSA_P256", "ECDSA_P384", "SM2", "ML_DSA_65"] as const)("%s", (algorithm) => {
    const key = generateMessageSigningKey(algorithm);
    const message = bytesOf(1000);
    const [one, two] = [key.createSigner(), key.createSigner()];
    one.update(message);
    for (const chunk of chunksOf(message, 7)) two.update(chunk);
    for (const signature of [one.sign(), two.sign()]) {
      const verify = (bytes: Uint8Array, over: Uint8Array, publicKey = key.publicKey): boolean => {
        const verifier = createMessageVerifier(algorithm, publicKey);
        for (const chunk of chunksOf(over, 64)) verifier.update(chunk);
        return verifier.verify(bytes);
      };
      expect(verify(signature, message)).toBe(true);
      expect(verify(signature, message.subarray(1))).toBe(false);
      expect(verify(signature.subarray(1), message)).toBe(false);
      expect(verify(new Uint8Array([...signature, 0]), message)).toBe(false);
      expect(verify(new Uint8Array(0), message)).toBe(false);
      expect(verify(signature, message, generateMessageSigningKey(algorithm).publicKey)).toBe(false);
    }
    expect(() => one.update(message)).toThrowError(expect.objectContaining({ code: "ERR_CLOSED" }));
    expect(() => one.sign()).toThrowError(expect.objectContaining({ code: "ERR_CLOSED" }));
  });
});

describe("the header's key", () => {
  const [dataKey, messageId, body] = [bytesOf(32, 1), bytesOf(32, 2), bytesOf(200, 3)];
  const empty = new Uint8Array(0);
  const tagUnder = async (suite: number, header: Uint8Array, unstored: Uint8Array): Promise<string> => {
    const keys = deriveMessageKeys(suiteOfMessage(suite, 2), dataKey, messageId);
    const { tag } = await keys.headerCipher(header, unstored).seal(new Uint8Array(12), empty, empty);
    return Buffer.from(tag).toString("hex");
  };

  test("is the body's in the AWS suites, at no cost", () => {
    for (const suite of [SUITE_COMMITTED, SUITE_COMMITTED_SIGNED]) {
      const keys = deriveMessageKeys(suiteOfMessage(suite, 2), dataKey, messageId);
      expect(keys.headerCipher(body, empty)).toBe(keys.cipher);
    }
  });

  test.each(cases)("depends on all that it authenticates, suite %s", async (_name, suite) => {
    const keys = deriveMessageKeys(suiteOfMessage(suite, 2), dataKey, messageId);
    const { tag } = await keys.cipher.seal(new Uint8Array(12), empty, empty);
    const tags = new Set([Buffer.from(tag).toString("hex"), await tagUnder(suite, body, empty)]);
    expect(tags.size).toBe(2);
    expect(tags).toContain(await tagUnder(suite, body.slice(), empty));
    for (let i = 0; i < body.length; i++) {
      const changed = body.slice();
      changed[i] = (changed[i] as number) ^ 1;
      tags.add(await tagUnder(suite, changed, empty));
    }
    tags.add(await tagUnder(suite, body, Uint8Array.of(0)));
    tags.add(await tagUnder(suite, body, Uint8Array.of(1)));
    expect(tags.size).toBe(2 + body.length + 2);
  });

  test("is derived once, and not after it was given up", () => {
    const keys = deriveMessageKeys(suiteOfMessage(SUITE_REWRAPPABLE, 2), dataKey, messageId);
    keys.headerCipher(body, empty);
    expect(() => keys.headerCipher(body, empty)).toThrowError(expect.objectContaining({ code: "ERR_CLOSED" }));
    const given = deriveMessageKeys(suiteOfMessage(SUITE_SM4, 2), dataKey, messageId);
    given.discard();
    expect(() => given.headerCipher(body, empty)).toThrowError(expect.objectContaining({ code: "ERR_CLOSED" }));
  });

  test("the rewrappable suites keep commitment and body key of those they come from", async () => {
    for (const suite of [SUITE_COMMITTED, SUITE_COMMITTED_SIGNED]) {
      const before = deriveMessageKeys(suiteOfMessage(suite, 2), dataKey, messageId);
      const after = deriveMessageKeys(suiteOfMessage(suite | 0xf000, 2), dataKey, messageId);
      expect(after.commitment).toEqual(before.commitment);
      const nonce = new Uint8Array(12).fill(1);
      expect(await after.cipher.seal(nonce, body, body)).toEqual(await before.cipher.seal(nonce, body, body));
    }
  });
});

describe("the table", () => {
  test("every committing suite can be rewrapped, into one with a header key of its own and the same body", () => {
    for (const suite of algorithmSuites()) {
      if (!suite.committing) {
        expect(suite.rewrappedAs).toBeUndefined();
        continue;
      }
      const target = algorithmSuites().find((row) => row.id === suite.rewrappedAs);
      expect(target).toMatchObject({
        messageVersion: 2,
        headerKey: "own",
        rewrappedAs: suite.rewrappedAs,
        bodySuiteId: suite.bodySuiteId,
        cipher: suite.cipher,
        dataKeyBytes: suite.dataKeyBytes,
        messageKeyBytes: suite.messageKeyBytes,
        kdfHash: suite.kdfHash,
      });
      expect(target?.signature).toBe(suite.signature);
    }
  });

  test("exactly the suites of our own keep header and body keys apart", () => {
    for (const suite of algorithmSuites()) expect(suite.headerKey).toBe(suite.id >= 0xf000 ? "own" : "shared");
  });

  test("GM_SUITES are those of SM algorithms alone", async () => {
    const gm = algorithmSuites().filter(
      ({ cipher, kdfHash, signature }) =>
        cipher === "sm4-gcm" && kdfHash === "sm3" && (signature === undefined || signature === "SM2"),
    );
    expect(gm.map((suite) => suite.id)).toEqual(GM_SUITES);
    const only = new Envelope({ wrappingKeys: [testKey()], suite: SUITE_SM4, readableSuites: GM_SUITES });
    for (const suite of GM_SUITES) expect(await only.decryptText(await only.encrypt("x", { suite }))).toBe("x");
    await refusal(only.encrypt("x", { suite: SUITE_COMMITTED }), "ERR_NOT_SUPPORTED");
  });

  test("the header of a message is parsed alike whatever its suite", async () => {
    for (const suite of Object.values(SUITES)) {
      const message = await envelope.encrypt("x", { suite, encryptionContext });
      const parse = parseHeader({ maxEncryptedDataKeys: 2, maxHeaderLength: 10_000 });
      parse.next();
      let step = parse.next(message);
      while (step.done !== true) step = parse.next(message);
      expect(step.value.commitment).toHaveLength(32);
      expect(step.value.suite.id).toBe(suite);
    }
  });
});
