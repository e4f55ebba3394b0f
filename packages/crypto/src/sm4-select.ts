// The choice between the implementations of SM4's blocks, CBC and counter mode, and their known-answer test; and what SM4-GCM's choice
// shares with it. It must not know how an implementation does it.
import { equalBytes, hexToBytes } from "./bytes.js";
import { type Candidate, createSelector, runtime, type Selector } from "./runtime.js";
import type { Sm4Implementation } from "./sm4.js";
import { checkedSm4, type Sm4Engine } from "./sm4-checked.js";
import { createNodeSm4, nodeHasSm4Hardware } from "./sm4-node.js";
import { createPortableSm4 } from "./sm4-portable.js";
import { createSm4Module, createWasmSm4, type Sm4Module } from "./sm4-wasm.js";
import { SM4_WASM, SM4_WASM_RELAXED } from "./sm4-wasm-binary.js";

/** The names of the WebAssembly modules. */
export type Sm4ModuleName = "wasm-relaxed" | "wasm";
const BINARIES: Readonly<Record<Sm4ModuleName, string>> = { "wasm-relaxed": SM4_WASM_RELAXED, wasm: SM4_WASM };
/** The same, best first. */
export const SM4_MODULES: readonly Sm4ModuleName[] = ["wasm-relaxed", "wasm"];

const modules = /* @__PURE__ */ new Map<Sm4ModuleName, Sm4Module | undefined>();

/** One module, made at its first use; undefined where the runtime lacks what it needs. */
export function sm4Module(name: Sm4ModuleName): Sm4Module | undefined {
  if (runtime.webAssembly !== undefined && !modules.has(name)) {
    modules.set(name, createSm4Module(runtime.webAssembly, BINARIES[name]));
  }
  return modules.get(name);
}

function hasHardware(): boolean {
  try {
    return runtime.node !== undefined && nodeHasSm4Hardware(runtime.node);
  } catch {
    return false;
  }
}

let isNodeFirst: boolean | undefined;

/**
 * Makes a chooser whose order is found at its first use, by a measurement of a millisecond: WebAssembly goes before OpenSSL's C code,
 * which is slower and not constant-time, but behind a processor's own SM4 instructions.
 */
export function createSm4Selector<Implementation>(
  node: readonly Candidate<Implementation>[],
  wasm: readonly Candidate<Implementation>[],
  portable: Candidate<Implementation>,
): Selector<Implementation> {
  let made: Selector<Implementation> | undefined;
  const selector = (): Selector<Implementation> => {
    isNodeFirst ??= hasHardware();
    made ??= createSelector(isNodeFirst ? [...node, ...wasm, portable] : [...wasm, ...node, portable]);
    return made;
  };
  return {
    chosen: () => selector().chosen(),
    available: () => selector().available(),
    explain: () => selector().explain(),
  };
}

// GB/T 32907-2016 appendix A.1.
const PROBE_KEY = "0123456789abcdeffedcba9876543210";
const PROBE_CIPHERTEXT = "681edf34d206965e86b3e94f536e4246";

function probe(engine: Sm4Engine): boolean {
  const [block, ciphertext, zeros] = [hexToBytes(PROBE_KEY), hexToBytes(PROBE_CIPHERTEXT), new Uint8Array(16)];
  const key = engine.importKey(block);
  const encrypted = [key.encryptBlocks(block), key.encryptCbc(zeros, block), key.ctr(block, zeros)];
  const decrypted = [key.decryptBlocks(ciphertext), key.decryptCbc(zeros, ciphertext)];
  return (
    encrypted.every((bytes) => equalBytes(bytes, ciphertext)) && decrypted.every((bytes) => equalBytes(bytes, block))
  );
}

const NODE: Candidate<Sm4Engine> = {
  name: "node",
  create: () => (runtime.node === undefined ? undefined : createNodeSm4(runtime.node)),
  probe,
};
const WASM: readonly Candidate<Sm4Engine>[] = /* @__PURE__ */ SM4_MODULES.map((name) => ({
  name,
  create() {
    const module = sm4Module(name);
    return module === undefined ? undefined : createWasmSm4(name, module);
  },
  probe,
}));
const PORTABLE: Candidate<Sm4Engine> = { name: "portable", create: createPortableSm4, probe };

/** The choice of SM4 for what can be done on many blocks at once. */
export const sm4Selector: Selector<Sm4Engine> = /* @__PURE__ */ createSm4Selector([NODE], WASM, PORTABLE);

/** The choice of SM4 for CBC encryption, where each block waits for the one before. */
export const sm4ChainSelector: Selector<Sm4Engine> = /* @__PURE__ */ createSelector([NODE, ...WASM, PORTABLE]);

let best: Sm4Implementation | undefined;

/** The best of this runtime for each mode. */
export function chosenSm4(): Sm4Implementation {
  // The portable one needs nothing of the runtime, so one is always chosen.
  best ??= checkedSm4(sm4Selector.chosen() as Sm4Engine, sm4ChainSelector.chosen() as Sm4Engine);
  return best;
}

/** Every implementation of this runtime, each by itself. */
export function availableSm4(): readonly Sm4Implementation[] {
  return sm4Selector.available().map((engine) => checkedSm4(engine, engine));
}
