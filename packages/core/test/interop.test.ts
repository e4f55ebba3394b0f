// Messages cross over to the released AWS Encryption SDK client for JavaScript and back, over raw AES and raw RSA keys.
import { constants, generateKeyPairSync } from "node:crypto";
import {
  AlgorithmSuiteIdentifier,
  buildClient,
  CommitmentPolicy,
  type KeyringNode,
  MultiKeyringNode,
  RawAesKeyringNode,
  RawAesWrappingSuiteIdentifier,
  RawRsaKeyringNode,
} from "@aws-crypto/client-node";
import {
  Envelope,
  rawAesKey,
  rawRsaKey,
  SUITE_COMMITTED,
  SUITE_COMMITTED_SIGNED,
  type WrappingKey,
  type WritableSuiteId,
} from "@fengni/core";
import { describe, expect, test } from "vitest";
import { bytesOf, readings } from "./support.js";

const client = buildClient(CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
const names = { keyNamespace: "interop", keyName: "ключ-1" };
const ours = { namespace: names.keyNamespace, name: names.keyName };
const rsa = generateKeyPairSync("rsa", {
  modulusLength: 2048,
  publicKeyEncoding: { type: "spki", format: "pem" },
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
});

interface Pair {
  readonly theirs: KeyringNode;
  readonly ours: WrappingKey;
}

const AES_SUITES = {
  16: RawAesWrappingSuiteIdentifier.AES128_GCM_IV12_TAG16_NO_PADDING,
  24: RawAesWrappingSuiteIdentifier.AES192_GCM_IV12_TAG16_NO_PADDING,
  32: RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
} as const;

function aesPair(length: 16 | 24 | 32): Pair {
  const key = bytesOf(length, length);
  return {
    theirs: new RawAesKeyringNode({
      ...names,
      unencryptedMasterKey: new Uint8Array(key),
      wrappingSuite: AES_SUITES[length],
      utf8Sorting: true,
    }),
    ours: rawAesKey({ ...ours, key }),
  };
}

function rsaPair(padding: "pkcs1" | "oaep-sha1" | "oaep-sha256" | "oaep-sha384" | "oaep-sha512"): Pair {
  const oaepHash = padding === "pkcs1" ? undefined : (padding.slice("oaep-".length) as "sha1");
  return {
    theirs: new RawRsaKeyringNode({
      ...names,
      rsaKey: { publicKey: rsa.publicKey, privateKey: rsa.privateKey },
      padding: padding === "pkcs1" ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_OAEP_PADDING,
      ...(oaepHash !== undefined && { oaepHash }),
    }),
    ours: rawRsaKey({ ...ours, publicKey: rsa.publicKey, privateKey: rsa.privateKey, padding }),
  };
}

const MIB = 1024 * 1024;
// Keys whose order differs between UTF-16 code units, locale and UTF-8 bytes.
const encryptionContext = { b: "1", A: "2", "\u{1F511}": "key", "\uFF21": "wide", é: "", __proto: "x" };

function theirSuite(suite: WritableSuiteId): AlgorithmSuiteIdentifier {
  return suite === SUITE_COMMITTED
    ? AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY
    : AlgorithmSuiteIdentifier.ALG_AES256_GCM_IV12_TAG16_HKDF_SHA512_COMMIT_KEY_ECDSA_P384;
}

async function crossOver(pair: Pair, suite: WritableSuiteId, frameLength: number, length: number): Promise<void> {
  const plaintext = bytesOf(length, frameLength);
  const envelope = new Envelope({ wrappingKeys: [pair.ours], suite, frameLength });

  const sealed = await envelope.encrypt(plaintext, { encryptionContext });
  const opened = await client.decrypt(pair.theirs, Buffer.from(sealed));
  expect(opened.plaintext.equals(plaintext)).toBe(true);
  expect(opened.messageHeader.encryptionContext).toMatchObject(encryptionContext);
  expect(opened.messageHeader.suiteId).toBe(suite);

  const { result } = await client.encrypt(pair.theirs, Buffer.from(plaintext), {
    encryptionContext: { ...encryptionContext },
    suiteId: theirSuite(suite),
    frameLength,
  });
  const whole = await envelope.decrypt(result, { encryptionContext });
  expect(Buffer.from(whole.plaintext).equals(plaintext)).toBe(true);
  expect(whole.header.suite.id).toBe(`0x0${suite.toString(16)}`);
  const streamed = await (readings["web stream"] as (typeof readings)[string])(envelope, result);
  expect(Buffer.from(streamed).equals(plaintext)).toBe(true);
}

describe.each([
  ["0x0478", SUITE_COMMITTED],
  ["0x0578", SUITE_COMMITTED_SIGNED],
] as const)("with @aws-crypto/client-node, suite %s", (_name, suite) => {
  test.each([16, 24, 32] as const)("raw AES key of %i bytes, every length and frame length", async (keyLength) => {
    const pair = aesPair(keyLength);
    for (const frameLength of [1, 16, 1000, 4096, 65536]) {
      const lengths = new Set([
        0,
        1,
        frameLength - 1,
        frameLength,
        frameLength + 1,
        3 * frameLength,
        3 * frameLength + 5,
      ]);
      for (const length of lengths) await crossOver(pair, suite, frameLength, length);
    }
  });

  test("raw AES key, several megabytes", async () => {
    await crossOver(aesPair(32), suite, 4096, 3 * MIB);
    await crossOver(aesPair(32), suite, 65536, 3 * MIB + 12345);
    await crossOver(aesPair(32), suite, 8 * MIB, 5 * MIB);
  });

  test.each(["oaep-sha1", "oaep-sha256", "oaep-sha384", "oaep-sha512"] as const)("raw RSA key, %s", async (padding) => {
    const pair = rsaPair(padding);
    for (const length of [0, 1, 4096, 5000]) await crossOver(pair, suite, 4096, length);
    await crossOver(pair, suite, 65536, 2 * MIB);
  });

  test("raw RSA key, pkcs1: we open their message and ours", async () => {
    // Node 20's own privateDecrypt refuses this padding, and with it their client: there we open what they wrote.
    const pair = rsaPair("pkcs1");
    const envelope = new Envelope({ wrappingKeys: [pair.ours], suite });
    const { result } = await client.encrypt(pair.theirs, Buffer.from("ours to read"), { suiteId: theirSuite(suite) });
    expect(await envelope.decryptText(result)).toBe("ours to read");
    expect(await envelope.decryptText(await envelope.encrypt("ours"))).toBe("ours");
  });

  test("several wrapping keys: either of theirs opens our message, either of ours theirs", async () => {
    const [aes, oaep] = [aesPair(32), rsaPair("oaep-sha256")];
    const sealed = await new Envelope({ wrappingKeys: [aes.ours, oaep.ours], suite }).encrypt("twice wrapped");
    const theirs = new MultiKeyringNode({ generator: aes.theirs, children: [oaep.theirs] });
    const { result } = await client.encrypt(theirs, Buffer.from("twice wrapped"), { suiteId: theirSuite(suite) });
    for (const pair of [aes, oaep]) {
      expect((await client.decrypt(pair.theirs, Buffer.from(sealed))).plaintext.toString()).toBe("twice wrapped");
      expect(await new Envelope({ wrappingKeys: [pair.ours] }).decryptText(result)).toBe("twice wrapped");
    }
  });

  test("their client refuses our message when a bit of it is changed", async () => {
    const pair = aesPair(32);
    const sealed = await new Envelope({ wrappingKeys: [pair.ours], suite }).encrypt("unchanged");
    const changed = Buffer.from(sealed);
    changed[changed.length - 20] = (changed[changed.length - 20] as number) ^ 1;
    await expect(client.decrypt(pair.theirs, changed)).rejects.toThrow();
  });
});
