// Where the suite runs: a browser without Node's globals, with the implementations that are meant for it. It must not know what they do.
import { hexToBytes } from "@fengni/crypto/bytes";
import { randomBytes } from "@fengni/crypto/random";
import { runtimeReport } from "@fengni/crypto/report";
import { SecretBytes } from "@fengni/crypto/secret";
import { type Emit, equal, runOwn, same } from "./harness.js";

/** What Chromium must choose. A primitive that is not here fails the suite, so that each new one is thought of. */
const CHOSEN: Readonly<Record<string, string>> = {
  "AES-CBC": "webcrypto",
  "AES-GCM": "webcrypto",
  "SHA-2, HMAC, HKDF": "noble",
  random: "webcrypto",
  ECDSA: "noble",
  RSA: "webcrypto",
  SM2: "wasm",
  SM3: "portable",
  SM4: "wasm-relaxed",
  "SM4-CBC encryption": "wasm-relaxed",
  "SM4-GCM": "wasm-relaxed",
  "ML-KEM": "noble",
  "ML-DSA": "noble",
  "SLH-DSA": "noble",
  X25519: "noble",
};

function sorted(entries: readonly (readonly [string, string])[]): readonly string[] {
  return entries.map(([primitive, chosen]) => `${primitive}: ${chosen}`).sort();
}

export async function environment(emit: Emit): Promise<void> {
  const globals = globalThis as unknown as Readonly<Record<string, unknown>>;
  await runOwn(emit, "environment", "Chromium", {
    "has no Buffer, process, require, global and setImmediate": () => {
      const present = ["Buffer", "process", "require", "module", "global", "setImmediate"].filter(
        (name) => globals[name] !== undefined,
      );
      equal(present, [], "globals of Node");
    },
    "is a secure context with WebCrypto and WebAssembly": () => {
      equal([isSecureContext, typeof crypto.subtle, typeof WebAssembly], [true, "object", "object"]);
    },
    "chooses the implementations that are meant for it": () => {
      const chosen = runtimeReport().map(({ primitive, chosen }) => [primitive, chosen] as const);
      equal(sorted(chosen), sorted(Object.entries(CHOSEN)), "chosen");
    },
    "gives random bytes, also more than WebCrypto does at once": () => {
      const bytes = randomBytes(200_000);
      equal(bytes.length, 200_000, "length");
      equal(new Set(bytes.subarray(-1000)).size > 200, true, "the last ones are random");
    },
    "keeps secrets out of text": () => {
      const secret = new SecretBytes(hexToBytes("00ff"));
      equal(JSON.stringify({ secret }).includes("255"), false, "shows the bytes");
      same(secret.bytes(), hexToBytes("00ff"));
    },
  });
}
