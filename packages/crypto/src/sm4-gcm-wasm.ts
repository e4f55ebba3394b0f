// SM4-GCM in WebAssembly with vectors, constant-time as sm4-wasm.ts says; so is its GHASH. The module's memory holds a key for the time
// of one call only, and is overwritten after it. It must not check arguments (sm4-gcm-checked.ts does).
import type { Sealed } from "./aes-gcm.js";
import { equalBytes } from "./bytes.js";
import { addMask, type BlockOpening, GCM_BLOCK, PartsOpening, writeLengths } from "./sm4-gcm-blocks.js";
import type { GcmEngine, GcmEngineKey, GcmOpening } from "./sm4-gcm-checked.js";
import { expandKey, type Sm4Module } from "./sm4-wasm.js";

type Direction = "seal" | "open";

/** Modules between `load` and `unload`. */
const IN_USE: WeakSet<Sm4Module> = /* @__PURE__ */ new WeakSet();

/** A key, and the steps of GCM on the module, which between `load` and `unload` hold its memory. */
class Steps {
  readonly #module: Sm4Module;
  /** The key schedule, and GHASH's key after it, as they stand in the memory. */
  readonly #material: Uint8Array;

  constructor(module: Sm4Module, key: Uint8Array) {
    this.#module = module;
    const { run, memory, schedule, h, target } = module;
    this.#material = new Uint8Array(h - schedule + GCM_BLOCK);
    const words = expandKey(module, key);
    this.#material.set(words);
    words.fill(0);
    // H is the zero block encrypted. SP 800-38D section 7.1 step 1.
    run.cryptBlocks(GCM_BLOCK, false);
    this.#material.set(memory.subarray(target, target + GCM_BLOCK), h - schedule);
    run.wipe(0, GCM_BLOCK);
  }

  /** @param hash - GHASH's value so far */
  load(nonce: Uint8Array, hash?: Uint8Array): void {
    const { run, memory, capacity, schedule, nonce: nonceAt, y } = this.#module;
    // A call that was cut short (a stack overflow that was caught, a script that was terminated) left its data and values here.
    if (IN_USE.has(this.#module)) run.wipe(capacity, capacity);
    IN_USE.add(this.#module);
    memory.set(this.#material, schedule);
    run.prepareKeys();
    memory.set(nonce, nonceAt);
    run.prepareNonce();
    if (hash !== undefined) memory.set(hash, y);
  }

  /** Overwrites the memory. @param length - of the longest data that was in it */
  unload(length: number): void {
    this.#module.run.wipe(Math.min(length, this.#module.capacity), 0);
    IN_USE.delete(this.#module);
  }

  /** GHASH's value. */
  hash(): Uint8Array {
    const { memory, y } = this.#module;
    return memory.slice(y, y + GCM_BLOCK);
  }

  absorb(bytes: Uint8Array): void {
    const { run, memory, capacity, data } = this.#module;
    for (let done = 0; done < bytes.length; done += capacity) {
      const piece = bytes.length <= capacity ? bytes : bytes.subarray(done, done + capacity);
      memory.set(piece, data);
      run.hash(data, piece.length);
    }
  }

  /** Room for data of more than one piece, to be made before `load`, since it may fail; shorter data needs none. */
  roomFor(length: number): Uint8Array | undefined {
    return length > this.#module.capacity ? new Uint8Array(length) : undefined;
  }

  /**
   * Encrypts or decrypts, and takes the ciphertext into GHASH.
   * @param block - which of the message's blocks is the first one here
   * @param room - what {@link roomFor} gave for this length
   */
  crypt(direction: Direction, from: Uint8Array, block: number, room: Uint8Array | undefined): Uint8Array {
    const { memory, capacity, data } = this.#module;
    if (room === undefined) {
      this.#piece(direction, from, block);
      // Faster than to make a buffer, which is filled with zeros, and to copy into it.
      return memory.slice(data, data + from.length);
    }
    for (let done = 0; done < from.length; done += capacity) {
      const piece = from.subarray(done, done + capacity);
      this.#piece(direction, piece, block + done / GCM_BLOCK);
      room.set(memory.subarray(data, data + piece.length), done);
    }
    return room;
  }

  /** Leaves the result in the memory. */
  #piece(direction: Direction, from: Uint8Array, block: number): void {
    const { run, memory, source, data } = this.#module;
    const { length } = from;
    memory.set(from, data);
    if (direction === "open") run.hash(data, length);
    // The block before the data becomes the tag's mask, for nothing: most batches have room.
    if (block === 0) run.addKeyStream(source, GCM_BLOCK + length, 1);
    else run.addKeyStream(data, length, block + 2);
    if (direction === "seal") run.hash(data, length);
  }

  /** Makes the tag's mask by itself, for messages whose first block was in another call. */
  mask(): void {
    this.#module.run.addKeyStream(this.#module.source, GCM_BLOCK, 1);
  }

  tag(aadLength: number, length: number): Uint8Array {
    const { run, memory, view, source, data } = this.#module;
    writeLengths(view, data, aadLength, length);
    run.hash(data, GCM_BLOCK);
    return addMask(this.hash(), memory.subarray(source, source + GCM_BLOCK));
  }
}

class WasmGcmKey implements GcmEngineKey {
  readonly #steps: Steps;

  constructor(module: Sm4Module, key: Uint8Array) {
    this.#steps = new Steps(module, key);
  }

  seal(nonce: Uint8Array, aad: Uint8Array, plaintext: Uint8Array): Sealed {
    const { result, tag } = this.#crypt("seal", nonce, aad, plaintext);
    return { ciphertext: result, tag };
  }

  open(nonce: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    const { result, tag: expected } = this.#crypt("open", nonce, aad, ciphertext);
    if (equalBytes(expected, tag)) return result;
    result.fill(0);
    return undefined;
  }

  #crypt(
    direction: Direction,
    nonce: Uint8Array,
    aad: Uint8Array,
    data: Uint8Array,
  ): { readonly result: Uint8Array; readonly tag: Uint8Array } {
    const steps = this.#steps;
    const room = steps.roomFor(data.length);
    steps.load(nonce);
    steps.absorb(aad);
    const result = steps.crypt(direction, data, 0, room);
    const tag = steps.tag(aad.length, data.length);
    steps.unload(Math.max(aad.length, data.length));
    return { result, tag };
  }

  begin(nonce: Uint8Array, aad: Uint8Array): GcmOpening {
    return new PartsOpening(new WasmOpening(this.#steps, nonce, aad));
  }
}

class WasmOpening implements BlockOpening {
  readonly #steps: Steps;
  readonly #nonce: Uint8Array;
  readonly #aadLength: number;
  #hash: Uint8Array;
  #blocks = 0;

  constructor(steps: Steps, nonce: Uint8Array, aad: Uint8Array) {
    this.#steps = steps;
    this.#nonce = new Uint8Array(nonce);
    this.#aadLength = aad.length;
    steps.load(nonce);
    steps.absorb(aad);
    this.#hash = steps.hash();
    steps.unload(aad.length);
  }

  decrypt(blocks: Uint8Array): Uint8Array {
    const steps = this.#steps;
    const room = steps.roomFor(blocks.length);
    steps.load(this.#nonce, this.#hash);
    const plaintext = steps.crypt("open", blocks, this.#blocks, room);
    this.#hash = steps.hash();
    steps.unload(blocks.length);
    this.#blocks += blocks.length / GCM_BLOCK;
    return plaintext;
  }

  finish(rest: Uint8Array, tag: Uint8Array): Uint8Array | undefined {
    const steps = this.#steps;
    steps.load(this.#nonce, this.#hash);
    const plaintext = steps.crypt("open", rest, this.#blocks, undefined);
    if (this.#blocks > 0) steps.mask();
    const expected = steps.tag(this.#aadLength, GCM_BLOCK * this.#blocks + rest.length);
    steps.unload(GCM_BLOCK);
    this.wipe();
    if (equalBytes(expected, tag)) return plaintext;
    plaintext.fill(0);
    return undefined;
  }

  wipe(): void {
    this.#hash.fill(0);
  }
}

/** SM4-GCM in WebAssembly. @param name - which of the modules it is */
export function createWasmSm4Gcm(name: string, module: Sm4Module): GcmEngine {
  return { name, importKey: (key) => new WasmGcmKey(module, key) };
}
