import * as nodeCrypto from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createWasmGhash } from "../src/ghash-wasm.js";
import type { Sealed } from "../src/sm4-gcm.js";
import { checkedSm4Gcm } from "../src/sm4-gcm-checked.js";
import { createWasmSm4Gcm } from "../src/sm4-gcm-wasm.js";
import { createSm4Module, createWasmSm4, type Sm4Module } from "../src/sm4-wasm.js";
import { SM4_WASM, SM4_WASM_RELAXED } from "../src/sm4-wasm-binary.js";
import { sm4WasmSource } from "../wasm-sm4/compile.js";
import "./sm4-vectors.js";

it("is what its source compiles to", async () => {
  const committed = readFileSync(new URL("../src/sm4-wasm-binary.ts", import.meta.url), "utf8");
  expect(await sm4WasmSource()).toBe(committed);
});

it("is absent where WebAssembly cannot make code, or lacks the instructions", () => {
  const forbidding = {
    Module: class {
      constructor() {
        throw new EvalError("unsafe-eval");
      }
    },
  };
  expect(createSm4Module(forbidding as unknown as typeof WebAssembly, SM4_WASM)).toBeUndefined();
  expect(createSm4Module(WebAssembly, Buffer.from("no module").toString("base64"))).toBeUndefined();
});

describe.each([
  ["wasm", SM4_WASM],
  ["wasm-relaxed", SM4_WASM_RELAXED],
])("the memory of %s", (name, binary) => {
  const module = createSm4Module(WebAssembly, binary) as Sm4Module;
  const isClean = (): boolean => module.memory.every((byte) => byte === 0);
  const [raw, iv, nonce] = [nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(16), nodeCrypto.randomBytes(12)];

  it("imports nothing and cannot grow", () => {
    expect(WebAssembly.Module.imports(new WebAssembly.Module(Buffer.from(binary, "base64")))).toEqual([]);
    expect(() => module.run.memory.grow(1)).toThrow(RangeError);
  });

  it.each([16, 64, 496, 512, 528, 2048, 65_536, 70_000])("is zero after every operation on %i bytes", (length) => {
    const data = nodeCrypto.randomBytes(length);
    const blocks = data.subarray(0, length - (length % 16));
    const sm4 = createWasmSm4(name, module).importKey(raw);
    expect(isClean()).toBe(true);
    const gcm = checkedSm4Gcm(createWasmSm4Gcm(name, module)).importKey(raw);
    expect(isClean()).toBe(true);
    let sealed: Sealed | undefined;
    const opener = gcm.openIncremental(nonce, data, length);
    const operations: readonly (() => unknown)[] = [
      () => sm4.encryptBlocks(blocks),
      () => sm4.decryptBlocks(blocks),
      () => sm4.encryptCbc(iv, blocks.subarray(0, 4096)),
      () => sm4.decryptCbc(iv, blocks),
      () => sm4.ctr(iv, data),
      () => sm4.ctr(new Uint8Array(16).fill(0xff), data),
      () => createWasmGhash(module, raw).begin().update(data),
      () => {
        sealed = gcm.seal(nonce, data, data) as Sealed;
      },
      () => gcm.open(nonce, data, (sealed as Sealed).ciphertext, (sealed as Sealed).tag),
      () => expect(() => gcm.open(nonce, data, data, (sealed as Sealed).tag)).toThrow("authentication failed"),
      () => opener.update((sealed as Sealed).ciphertext.subarray(0, 15)),
      () => opener.update((sealed as Sealed).ciphertext.subarray(15)),
      () => opener.final((sealed as Sealed).tag),
    ];
    for (const [index, operation] of operations.entries()) {
      operation();
      expect(isClean(), `operation ${index}`).toBe(true);
    }
  });
});
