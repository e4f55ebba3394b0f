// SM2 over 32 bytes, against sm-crypto-v2 whose public key is a string, not a point with a table, and against bare node:crypto,
// which signs and verifies when it is handed the digest of signer and curve, and does not encrypt.
import { createPrivateKey, createPublicKey, createSign, createVerify } from "node:crypto";
import { type Sm2Implementation, type Sm2PrivateKey, sm2Implementations } from "@fengni/crypto/sm2";
import { sm2 as peer } from "sm-crypto-v2";
import type { Arm, Comparison } from "./harness.js";

const PEER = "sm-crypto-v2";
const NODE = "node:crypto over Z || M";
const MESSAGE = new Uint8Array(32).fill(7);

type Operation = "sign" | "verify" | "encrypt" | "decrypt";
const OPERATIONS: readonly Operation[] = ["sign", "verify", "encrypt", "decrypt"];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function repeat(work: () => unknown): (count: number) => void {
  return (count) => {
    for (let i = 0; i < count; i++) work();
  };
}

function implementation(name: string): Sm2Implementation {
  const found = sm2Implementations().find((each) => each.name === name);
  if (found === undefined) throw new Error(`this runtime has no SM2 by ${name}`);
  return found;
}

function ownArm(name: string, operation: Operation): Arm {
  return async () => {
    const key = implementation(name).generateKey();
    const { publicKey } = key;
    const signature = key.sign(MESSAGE);
    const ciphertext = publicKey.encrypt(MESSAGE);
    return repeat(
      {
        sign: () => key.sign(MESSAGE),
        verify: () => publicKey.verify(MESSAGE, signature) || fail(),
        encrypt: () => publicKey.encrypt(MESSAGE),
        decrypt: () => key.decrypt(ciphertext),
      }[operation],
    );
  };
}

function fail(): never {
  throw new Error("a right signature did not verify");
}

/** A key, to be had as text and as node's own. */
function someKey(): Sm2PrivateKey {
  return (sm2Implementations()[0] as Sm2Implementation).generateKey();
}

function peerArm(operation: Operation): Arm {
  return async () => {
    const key = someKey();
    // The number stands at 7..38 of SEC1.
    const privateKey = hex(key.exportSec1().subarray(7, 39));
    const publicKey = hex(key.publicKey.point);
    const signature = peer.doSignature(MESSAGE, privateKey, { hash: true, publicKey });
    const ciphertext = peer.doEncrypt(MESSAGE, publicKey, 1);
    return repeat(
      {
        sign: () => peer.doSignature(MESSAGE, privateKey, { hash: true, publicKey }),
        verify: () => peer.doVerifySignature(MESSAGE, signature, publicKey, { hash: true }) || fail(),
        encrypt: () => peer.doEncrypt(MESSAGE, publicKey, 1),
        decrypt: () => peer.doDecrypt(ciphertext, privateKey, 1, { output: "array" }),
      }[operation],
    );
  };
}

function nodeArm(operation: "sign" | "verify"): Arm {
  return async () => {
    const key = someKey();
    const z = key.publicKey.identityDigest();
    const privateKey = createPrivateKey(key.exportPkcs8Pem());
    const publicKey = createPublicKey(key.publicKey.exportSpkiPem());
    const sign = (): Buffer => createSign("sm3").update(z).update(MESSAGE).sign(privateKey);
    const signature = sign();
    const verify = (): boolean => createVerify("sm3").update(z).update(MESSAGE).verify(publicKey, signature) || fail();
    return repeat(operation === "sign" ? sign : verify);
  };
}

const own = (name: string, operation: Operation): string => `SM2 ${operation} by ${name}`;
const peers = (operation: Operation): string => `${PEER}: ${operation}`;
const nodes = (operation: "sign" | "verify"): string => `${NODE}: ${operation}`;
const OWN = ["wasm", "node", "noble"];
const NATIVE = ["sign", "verify"] as const;

/** Operations per second on messages of 32 bytes, with the default id. */
export const sm2: Comparison = {
  rounds: 7,
  roundMs: 300,
  arms: Object.fromEntries([
    ...OPERATIONS.flatMap((operation) => [
      [peers(operation), peerArm(operation)] as const,
      ...OWN.map((name) => [own(name, operation), ownArm(name, operation)] as const),
    ]),
    ...NATIVE.map((operation) => [nodes(operation), nodeArm(operation)] as const),
  ]),
  lines: (line) => [
    ...OPERATIONS.flatMap((operation) => [
      line(peers(operation)),
      ...OWN.map((name) => line(own(name, operation), peers(operation))),
    ]),
    ...NATIVE.flatMap((operation) => [
      line(nodes(operation)),
      line(own("wasm", operation), nodes(operation)),
      line(own("node", operation), nodes(operation)),
    ]),
  ],
};
