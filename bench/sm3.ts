// SM3 over data of one length, against node:crypto, hash-wasm and sm-crypto-v2, each in its fastest form that gives a digest.
import { createHash, createHmac, createSecretKey, hash, randomBytes } from "node:crypto";
import { digest, hmac } from "@fengni/crypto/hash";
import { createSM3 } from "hash-wasm";
import { sm3 as smCryptoV2 } from "sm-crypto-v2";
import type { Arm, Comparison } from "./harness.js";

function hashing(length: number, make: () => Promise<(data: Uint8Array) => Uint8Array | string>): Arm {
  return async () => {
    const data = randomBytes(length);
    const work = await make();
    const result = work(data);
    const hex = typeof result === "string" ? result : Buffer.from(result).toString("hex");
    if (hex !== createHash("sm3").update(data).digest("hex")) throw new Error("an arm does not do SM3");
    return (count) => {
      for (let i = 0; i < count; i++) work(data);
    };
  };
}

/** Data of `length` bytes. */
export function sm3Of(length: number): Comparison {
  const label = length < 1024 ? `${length} B` : `${length / 1024} KiB`;
  const names = {
    node: `node:crypto createHash("sm3"), ${label}`,
    oneShot: `node:crypto hash("sm3"), ${label}`,
    wasm: `hash-wasm SM3, ${label}`,
    v2: `sm-crypto-v2 SM3, ${label}`,
    ours: `SM3, ${label}`,
    hmac: `HMAC-SM3, ${label}`,
    nodeHmac: `node:crypto createHmac("sm3"), ${label}`,
  };
  return {
    rounds: 7,
    roundMs: 300,
    arms: {
      [names.node]: hashing(length, async () => (data) => createHash("sm3").update(data).digest()),
      [names.oneShot]: hashing(length, async () => (data) => hash("sm3", data, "buffer")),
      [names.wasm]: hashing(length, async () => {
        const hasher = await createSM3();
        return (data) => hasher.init().update(data).digest("binary");
      }),
      [names.v2]: hashing(length, async () => (data) => smCryptoV2(data)),
      [names.ours]: hashing(length, async () => (data) => digest("sm3", data)),
      [names.nodeHmac]: async () => {
        const [key, data] = [createSecretKey(randomBytes(32)), randomBytes(length)];
        return (count) => {
          for (let i = 0; i < count; i++) createHmac("sm3", key).update(data).digest();
        };
      },
      [names.hmac]: async () => {
        const [key, data] = [randomBytes(32), randomBytes(length)];
        return (count) => {
          for (let i = 0; i < count; i++) hmac("sm3", key, data);
        };
      },
    },
    lines: (line) => [
      line(names.node),
      line(names.oneShot),
      line(names.wasm),
      line(names.v2),
      line(names.ours, names.node),
      line(names.ours, names.oneShot),
      line(names.ours, names.wasm),
      line(names.ours, names.v2),
      line(names.nodeHmac),
      line(names.hmac, names.nodeHmac),
    ],
  };
}
