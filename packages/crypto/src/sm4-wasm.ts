// SM4 in WebAssembly with vectors: 32 blocks at a time, bit by bit. Its code has no address and no branch that depends on key or data,
// so that it is constant-time as far as an engine keeps it so, the key schedule included. What it worked with is overwritten after each
// operation. It must not check arguments (sm4-checked.ts does), and knows the module's memory only.
import { base64ToBytes } from "./bytes.js";
import type { Sm4Engine, Sm4EngineKey } from "./sm4-checked.js";

const BLOCK = 16;

/** What the module exports; the globals are addresses, except for CAPACITY, which is a length in bytes. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly CAPACITY: WebAssembly.Global<"i32">;
  readonly KEY: WebAssembly.Global<"i32">;
  readonly SCHEDULE: WebAssembly.Global<"i32">;
  readonly H: WebAssembly.Global<"i32">;
  readonly NONCE: WebAssembly.Global<"i32">;
  readonly Y: WebAssembly.Global<"i32">;
  readonly SOURCE: WebAssembly.Global<"i32">;
  readonly TARGET: WebAssembly.Global<"i32">;
  expandKey(): void;
  prepareKeys(): void;
  prepareNonce(): void;
  addKeyStream(data: number, length: number, counter: number): void;
  cryptBlocks(length: number, isDecryption: boolean): void;
  decryptChain(length: number): void;
  encryptChain(length: number): void;
  hash(data: number, length: number): void;
  wipe(source: number, target: number): void;
}

/** An instance of the module, which one operation at a time uses and leaves wiped. */
export interface Sm4Module {
  readonly run: Exports;
  readonly memory: Uint8Array;
  /** The same memory. */
  readonly view: DataView;
  /** Bytes of data that fit into the memory. */
  readonly capacity: number;
  readonly key: number;
  readonly schedule: number;
  readonly h: number;
  readonly nonce: number;
  readonly y: number;
  /** A block before the data, and the data. */
  readonly source: number;
  readonly data: number;
  readonly target: number;
}

/** Makes an instance; undefined where the runtime lacks the instructions, or forbids to make code (Content-Security-Policy). */
export function createSm4Module(webAssembly: typeof WebAssembly, base64: string): Sm4Module | undefined {
  let run: Exports;
  try {
    const module = new webAssembly.Module(base64ToBytes(base64) as Uint8Array<ArrayBuffer>);
    run = new webAssembly.Instance(module).exports as unknown as Exports;
  } catch {
    return undefined;
  }
  return {
    run,
    // The memory cannot grow, so that this stays its buffer.
    memory: new Uint8Array(run.memory.buffer),
    view: new DataView(run.memory.buffer),
    capacity: run.CAPACITY.value,
    key: run.KEY.value,
    schedule: run.SCHEDULE.value,
    h: run.H.value,
    nonce: run.NONCE.value,
    y: run.Y.value,
    source: run.SOURCE.value,
    data: run.SOURCE.value + BLOCK,
    target: run.TARGET.value,
  };
}

/** Expands a key in the module, which then holds it until it is wiped. Gives the schedule, secret. */
export function expandKey(module: Sm4Module, key: Uint8Array): Uint8Array {
  const { run, memory, key: at, schedule, h } = module;
  memory.set(key, at);
  run.expandKey();
  return memory.slice(schedule, h);
}

class WasmKey implements Sm4EngineKey {
  readonly #module: Sm4Module;
  readonly #schedule: Uint8Array;

  constructor(module: Sm4Module, key: Uint8Array) {
    this.#module = module;
    this.#schedule = expandKey(module, key);
    module.run.wipe(0, 0);
  }

  encryptBlocks(blocks: Uint8Array): Uint8Array {
    const { run } = this.#module;
    return this.#inPieces(blocks, undefined, (length) => run.cryptBlocks(length, false));
  }

  decryptBlocks(blocks: Uint8Array): Uint8Array {
    const { run } = this.#module;
    return this.#inPieces(blocks, undefined, (length) => run.cryptBlocks(length, true));
  }

  encryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    const { run } = this.#module;
    return this.#inPieces(
      blocks,
      (done, target) => (done === 0 ? iv : target.subarray(done - BLOCK, done)),
      (length) => run.encryptChain(length),
    );
  }

  decryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    const { run } = this.#module;
    return this.#inPieces(
      blocks,
      (done) => (done === 0 ? iv : blocks.subarray(done - BLOCK, done)),
      (length) => run.decryptChain(length),
    );
  }

  /** Works on data piece by piece, from the module's SOURCE to its TARGET. @param before - gives the block before a piece */
  #inPieces(
    blocks: Uint8Array,
    before: ((done: number, target: Uint8Array) => Uint8Array) | undefined,
    work: (length: number) => void,
  ): Uint8Array {
    const { run, memory, capacity, schedule, source, data, target: from } = this.#module;
    const target = new Uint8Array(blocks.length);
    memory.set(this.#schedule, schedule);
    run.prepareKeys();
    for (let done = 0; done < blocks.length; done += capacity) {
      const piece = blocks.subarray(done, done + capacity);
      if (before !== undefined) memory.set(before(done, target), source);
      memory.set(piece, data);
      work(piece.length);
      target.set(memory.subarray(from, from + piece.length), done);
    }
    const used = Math.min(blocks.length, capacity);
    run.wipe(used, used);
    return target;
  }

  ctr(counter: Uint8Array, bytes: Uint8Array): Uint8Array {
    const { run, memory, capacity, schedule, nonce, data } = this.#module;
    const target = new Uint8Array(bytes.length);
    const next = new Uint8Array(counter);
    const view = new DataView(next.buffer);
    memory.set(this.#schedule, schedule);
    run.prepareKeys();
    for (let done = 0; done < bytes.length; ) {
      // The module counts in the last four bytes only: a piece ends where they overflow.
      const low = view.getUint32(12);
      const piece = bytes.subarray(done, done + Math.min(capacity, BLOCK * (2 ** 32 - low)));
      memory.set(next.subarray(0, 12), nonce);
      run.prepareNonce();
      memory.set(piece, data);
      run.addKeyStream(data, piece.length, low);
      target.set(memory.subarray(data, data + piece.length), done);
      done += piece.length;
      advance(view, Math.ceil(piece.length / BLOCK));
    }
    run.wipe(Math.min(bytes.length, capacity), 0);
    return target;
  }
}

/** Adds to a counter block of 16 bytes. */
function advance(view: DataView, blocks: number): void {
  let carry = blocks;
  for (let at = 12; at >= 0; at -= 4) {
    const sum = view.getUint32(at) + carry;
    view.setUint32(at, sum);
    carry = sum >= 2 ** 32 ? 1 : 0;
  }
}

/** SM4 in WebAssembly. @param name - which of the modules it is */
export function createWasmSm4(name: string, module: Sm4Module): Sm4Engine {
  return { name, importKey: (key) => new WasmKey(module, key) };
}
