// SM4-GCM in pieces of one length, each a message of its own: against bare sm4-ctr of node:crypto, which authenticates nothing, against
// OpenSSL's own sm4-gcm where Node has it (26), and against the packages in use, of which gm-crypto has no authenticated mode.
import { type CipherGCMTypes, createCipheriv, createSecretKey, getCiphers, randomBytes } from "node:crypto";
import { importSm4GcmKey, type Sealed, sm4GcmImplementations } from "@fengni/crypto/sm4-gcm";
import { SM4 as gmCrypto } from "gm-crypto";
import { sm4 as smCryptoV2 } from "sm-crypto-v2";
import type { Arm, Comparison } from "./harness.js";

const KEY = randomBytes(16);
const NONCE = randomBytes(12);
const AAD = randomBytes(20);
const HAS_GCM = getCiphers().includes("sm4-gcm");

function repeat(work: () => unknown): (count: number) => void {
  return (count) => {
    for (let i = 0; i < count; i++) work();
  };
}

function nativeGcm(plaintext: Uint8Array): () => Sealed {
  const key = createSecretKey(KEY);
  return () => {
    const cipher = createCipheriv("sm4-gcm" as CipherGCMTypes, key, NONCE, { authTagLength: 16 });
    cipher.setAAD(AAD);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return { ciphertext, tag: cipher.getAuthTag() };
  };
}

function peerGcm(plaintext: Uint8Array): () => Sealed {
  return () => {
    const options = { mode: "gcm", iv: NONCE, associatedData: AAD, output: "array", outputTag: true } as const;
    const { output, tag } = smCryptoV2.encrypt(plaintext, KEY, options);
    return { ciphertext: output, tag: tag as Uint8Array };
  };
}

/** An arm that seals; it must give what ours gives. */
function sealing(length: number, make: (plaintext: Uint8Array) => () => Sealed): Arm {
  return async () => {
    const plaintext = randomBytes(length);
    const seal = make(plaintext);
    const { ciphertext, tag } = seal();
    if (Buffer.compare(importSm4GcmKey(KEY).open(NONCE, AAD, ciphertext, tag) as Uint8Array, plaintext) !== 0) {
      throw new Error("an arm does not do SM4-GCM");
    }
    return repeat(seal);
  };
}

/** Pieces of `length` bytes. */
export function sm4Of(length: number): Comparison {
  const label = length < 1024 ? `${length} B` : `${length / 1024} KiB`;
  const names = {
    ctr: `node:crypto sm4-ctr, ${label}`,
    native: `node:crypto sm4-gcm, ${label}`,
    seal: `SM4-GCM seal, ${label}`,
    open: `SM4-GCM open, ${label}`,
    fresh: `SM4-GCM with a new key, ${label}`,
    nativeFresh: `node:crypto ${HAS_GCM ? "sm4-gcm" : "sm4-ctr"} with a new key, ${label}`,
    portable: `SM4-GCM seal in TypeScript, ${label}`,
    v2: `sm-crypto-v2 SM4-GCM, ${label}`,
    gm: `gm-crypto SM4-CBC, ${label}`,
  };
  const portable = (plaintext: Uint8Array): (() => Sealed) => {
    const key = sm4GcmImplementations().at(-1)?.importKey(KEY);
    return () => key?.seal(NONCE, AAD, plaintext) as Sealed;
  };
  return {
    rounds: 7,
    roundMs: 300,
    arms: {
      [names.ctr]: async () => {
        const [key, counter, plaintext] = [createSecretKey(KEY), randomBytes(16), randomBytes(length)];
        return repeat(() => createCipheriv("sm4-ctr", key, counter).update(plaintext));
      },
      ...(HAS_GCM ? { [names.native]: sealing(length, nativeGcm) } : {}),
      [names.seal]: sealing(length, (plaintext) => {
        const key = importSm4GcmKey(KEY);
        return () => key.seal(NONCE, AAD, plaintext) as Sealed;
      }),
      [names.open]: async () => {
        const key = importSm4GcmKey(KEY);
        const { ciphertext, tag } = key.seal(NONCE, AAD, randomBytes(length)) as Sealed;
        return repeat(() => key.open(NONCE, AAD, ciphertext, tag));
      },
      [names.fresh]: sealing(length, (plaintext) => () => importSm4GcmKey(KEY).seal(NONCE, AAD, plaintext) as Sealed),
      [names.nativeFresh]: async () => {
        const plaintext = randomBytes(length);
        const counter = randomBytes(16);
        return repeat(
          HAS_GCM
            ? () => nativeGcm(plaintext)()
            : () => createCipheriv("sm4-ctr", createSecretKey(KEY), counter).update(plaintext),
        );
      },
      [names.portable]: sealing(length, portable),
      [names.v2]: sealing(length, peerGcm),
      [names.gm]: async () => {
        const [key, iv, plaintext] = [KEY.toString("hex"), randomBytes(16).toString("hex"), randomBytes(length)];
        const { CBC } = gmCrypto.constants;
        return repeat(() => gmCrypto.encrypt(plaintext, key, { mode: CBC, iv }));
      },
    },
    lines: (line) => [
      line(names.ctr),
      line(names.v2),
      line(names.gm),
      line(names.seal, names.ctr),
      ...(HAS_GCM ? [line(names.native), line(names.seal, names.native), line(names.open, names.native)] : []),
      line(names.seal, names.v2),
      line(names.seal, names.gm),
      line(names.open, names.ctr),
      line(names.fresh, names.nativeFresh),
      line(names.portable, names.v2),
    ],
  };
}
