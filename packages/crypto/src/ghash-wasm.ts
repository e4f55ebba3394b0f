// GHASH in WebAssembly with vectors, constant-time as far as an engine keeps it so. What it worked with is overwritten after each call.
// It must not know a cipher, though the module it uses has one.
import type { Ghash, GhashKey } from "./ghash.js";
import type { Sm4Module } from "./sm4-wasm.js";

const BLOCK = 16;

class WasmGhash implements Ghash {
  readonly #module: Sm4Module;
  readonly #h: Uint8Array;
  readonly #y: Uint8Array = new Uint8Array(BLOCK);

  constructor(module: Sm4Module, h: Uint8Array) {
    this.#module = module;
    this.#h = h;
  }

  update(bytes: Uint8Array): void {
    const { run, memory, capacity, h, y, data } = this.#module;
    memory.set(this.#h, h);
    memory.set(this.#y, y);
    for (let done = 0; done < bytes.length; done += capacity) {
      const piece = bytes.subarray(done, done + capacity);
      memory.set(piece, data);
      run.hash(data, piece.length);
    }
    this.#y.set(memory.subarray(y, y + BLOCK));
    run.wipe(Math.min(bytes.length, capacity), 0);
  }

  digest(): Uint8Array {
    const hash = new Uint8Array(this.#y);
    this.#y.fill(0);
    return hash;
  }
}

/** GHASH in WebAssembly, under a hash key of 16 bytes. */
export function createWasmGhash(module: Sm4Module, h: Uint8Array): GhashKey {
  const own = new Uint8Array(h);
  return { begin: () => new WasmGhash(module, own) };
}
