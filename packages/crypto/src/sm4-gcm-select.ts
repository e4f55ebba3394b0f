// The choice between the implementations of SM4-GCM, and their known-answer test. It must not know how an implementation does it.
import type { AeadImplementation, Sealed } from "./aes-gcm.js";
import { equalBytes, hexToBytes } from "./bytes.js";
import type { GhashKey } from "./ghash.js";
import { createPortableGhash } from "./ghash-portable.js";
import { createWasmGhash } from "./ghash-wasm.js";
import { type Candidate, runtime, type Selector } from "./runtime.js";
import { checkedSm4Gcm, type GcmEngine } from "./sm4-gcm-checked.js";
import { createComposedSm4Gcm } from "./sm4-gcm-composed.js";
import { createNodeSm4Gcm } from "./sm4-gcm-node.js";
import { createWasmSm4Gcm } from "./sm4-gcm-wasm.js";
import { createNodeSm4 } from "./sm4-node.js";
import { createPortableSm4 } from "./sm4-portable.js";
import { createSm4Selector, SM4_MODULES, sm4Module } from "./sm4-select.js";

// RFC 8998 appendix A.1.
const PROBE_KEY = "0123456789abcdeffedcba9876543210";
const PROBE_NONCE = "00001234567800000000abcd";
const PROBE_AAD = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const PROBE_PLAINTEXT =
  "aaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbccccccccccccccccddddddddddddddddeeeeeeeeeeeeeeeeffffffffffffffffeeeeeeeeeeeeeeeeaaaaaaaaaaaaaaaa";
const PROBE_CIPHERTEXT =
  "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d";
const PROBE_TAG = "83de3541e4c2b58177e065a9bf7b62ec";

function probe(implementation: AeadImplementation): boolean {
  const key = implementation.importKey(hexToBytes(PROBE_KEY));
  const [nonce, aad, plaintext] = [hexToBytes(PROBE_NONCE), hexToBytes(PROBE_AAD), hexToBytes(PROBE_PLAINTEXT)];
  const sealed = key.seal(nonce, aad, plaintext) as Sealed;
  if (!equalBytes(sealed.ciphertext, hexToBytes(PROBE_CIPHERTEXT))) return false;
  if (!equalBytes(sealed.tag, hexToBytes(PROBE_TAG))) return false;
  if (!equalBytes(key.open(nonce, aad, sealed.ciphertext, sealed.tag) as Uint8Array, plaintext)) return false;
  try {
    key.open(nonce, aad, sealed.ciphertext, new Uint8Array(16));
    return false;
  } catch {
    return true;
  }
}

function candidate(name: string, create: () => GcmEngine | undefined): Candidate<AeadImplementation> {
  return {
    name,
    create() {
      const engine = create();
      return engine === undefined ? undefined : checkedSm4Gcm(engine);
    },
    probe,
  };
}

/** The best GHASH of this runtime, for the counter mode of node:crypto. */
function createGhash(h: Uint8Array): GhashKey {
  for (const name of SM4_MODULES) {
    const module = sm4Module(name);
    if (module !== undefined) return createWasmGhash(module, h);
  }
  return createPortableGhash(h);
}

/** The choice of SM4-GCM. */
export const sm4GcmSelector: Selector<AeadImplementation> = /* @__PURE__ */ createSm4Selector<AeadImplementation>(
  [
    candidate("node", () => (runtime.node === undefined ? undefined : createNodeSm4Gcm(runtime.node))),
    candidate("node-ctr", () =>
      runtime.node === undefined
        ? undefined
        : createComposedSm4Gcm("node-ctr", createNodeSm4(runtime.node), createGhash),
    ),
  ],
  SM4_MODULES.map((name) =>
    candidate(name, () => {
      const module = sm4Module(name);
      return module === undefined ? undefined : createWasmSm4Gcm(name, module);
    }),
  ),
  candidate("portable", () => createComposedSm4Gcm("portable", createPortableSm4(), createPortableGhash)),
);
