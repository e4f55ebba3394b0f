// SM4 in TypeScript, eight blocks at a time, bit by bit (sm4-round.ts): no table and no branch depends on key or data, so that it is
// constant-time as far as a JavaScript engine keeps it so. What it worked with is overwritten after each operation. It must not check
// arguments (sm4-checked.ts does) nor know the runtime.
import type { Sm4Engine, Sm4EngineKey } from "./sm4-checked.js";
import { sm4Round } from "./sm4-round.js";
import { expandSm4Key, readWord, SM4_ROUNDS, spreadWord } from "./sm4-schedule.js";

const BLOCK = 16;
/** Blocks that are worked on at once. */
const LANES = 8;
const BATCH = LANES * BLOCK;

// The four words of the state, for all keys: operations are synchronous, and each leaves zeros behind.
const W0 = /* @__PURE__ */ new Int32Array(LANES);
const W1 = /* @__PURE__ */ new Int32Array(LANES);
const W2 = /* @__PURE__ */ new Int32Array(LANES);
const W3 = /* @__PURE__ */ new Int32Array(LANES);

/** Exchanges bits of two numbers: those of `a` under the mask shifted up by `shift`, and those of `b` under the mask. */
function exchange(words: Int32Array, a: number, b: number, shift: number, mask: number): void {
  const difference = (((words[a] as number) >>> shift) ^ (words[b] as number)) & mask;
  words[b] = (words[b] as number) ^ difference;
  words[a] = (words[a] as number) ^ (difference << shift);
}

/** Turns eight words, one of each block, into the form of sm4-round.ts, and back: bits of a byte against blocks. */
function transpose(words: Int32Array): void {
  for (let i = 0; i < LANES; i += 2) exchange(words, i, i + 1, 1, 0x55555555);
  for (let i = 0; i < LANES; i += 4) {
    exchange(words, i, i + 2, 2, 0x33333333);
    exchange(words, i + 1, i + 3, 2, 0x33333333);
  }
  for (let i = 0; i < LANES / 2; i++) exchange(words, i, i + 4, 4, 0x0f0f0f0f);
}

function transposeState(): void {
  transpose(W0);
  transpose(W1);
  transpose(W2);
  transpose(W3);
}

/** Runs the rounds on a state that holds words of eight blocks; the results stand in the words in reverse order. */
function cryptState(keys: Int32Array, isDecryption: boolean): void {
  transposeState();
  const step = isDecryption ? -8 : 8;
  let at = isDecryption ? 8 * (SM4_ROUNDS - 1) : 0;
  for (let round = 0; round < SM4_ROUNDS; round += 4) {
    sm4Round(W0, W1, W2, W3, keys, at);
    sm4Round(W1, W2, W3, W0, keys, at + step);
    sm4Round(W2, W3, W0, W1, keys, at + 2 * step);
    sm4Round(W3, W0, W1, W2, keys, at + 3 * step);
    at += 4 * step;
  }
  transposeState();
}

function setBlock(lane: number, bytes: Uint8Array, at: number): void {
  W0[lane] = readWord(bytes, at);
  W1[lane] = readWord(bytes, at + 4);
  W2[lane] = readWord(bytes, at + 8);
  W3[lane] = readWord(bytes, at + 12);
}

function xorWord(target: Uint8Array, at: number, word: number): void {
  target[at] = (target[at] as number) ^ (word >>> 24);
  target[at + 1] = (target[at + 1] as number) ^ (word >>> 16);
  target[at + 2] = (target[at + 2] as number) ^ (word >>> 8);
  target[at + 3] = (target[at + 3] as number) ^ word;
}

/** Adds the result of a lane to a block. */
function xorBlock(target: Uint8Array, at: number, lane: number): void {
  xorWord(target, at, W3[lane] as number);
  xorWord(target, at + 4, W2[lane] as number);
  xorWord(target, at + 8, W1[lane] as number);
  xorWord(target, at + 12, W0[lane] as number);
}

function wipeState(): void {
  W0.fill(0);
  W1.fill(0);
  W2.fill(0);
  W3.fill(0);
}

class PortableKey implements Sm4EngineKey {
  /** Round keys in the form of sm4-round.ts. */
  readonly #keys: Int32Array;

  constructor(key: Uint8Array) {
    const words = expandSm4Key(key);
    this.#keys = new Int32Array(8 * SM4_ROUNDS);
    for (let i = 0; i < SM4_ROUNDS; i++) spreadWord(words[i] as number, this.#keys, 8 * i);
    words.fill(0);
  }

  encryptBlocks(blocks: Uint8Array): Uint8Array {
    return this.#crypt(blocks, new Uint8Array(blocks.length), false);
  }

  decryptBlocks(blocks: Uint8Array): Uint8Array {
    return this.#crypt(blocks, new Uint8Array(blocks.length), true);
  }

  decryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    const target = new Uint8Array(blocks.length);
    target.set(iv);
    target.set(blocks.subarray(0, -BLOCK), BLOCK);
    return this.#crypt(blocks, target, true);
  }

  /** Adds each block, encrypted or decrypted, to the target's. */
  #crypt(blocks: Uint8Array, target: Uint8Array, isDecryption: boolean): Uint8Array {
    for (let at = 0; at < blocks.length; at += BATCH) {
      const lanes = Math.min(LANES, (blocks.length - at) / BLOCK);
      for (let lane = 0; lane < lanes; lane++) setBlock(lane, blocks, at + BLOCK * lane);
      cryptState(this.#keys, isDecryption);
      for (let lane = 0; lane < lanes; lane++) xorBlock(target, at + BLOCK * lane, lane);
    }
    wipeState();
    return target;
  }

  encryptCbc(iv: Uint8Array, blocks: Uint8Array): Uint8Array {
    const target = new Uint8Array(blocks.length);
    for (let at = 0; at < blocks.length; at += BLOCK) {
      const previous = at === 0 ? iv : target.subarray(at - BLOCK, at);
      const input = new Uint8Array(BLOCK);
      for (let i = 0; i < BLOCK; i++) input[i] = (previous[i] as number) ^ (blocks[at + i] as number);
      setBlock(0, input, 0);
      cryptState(this.#keys, false);
      xorBlock(target, at, 0);
      input.fill(0);
    }
    wipeState();
    return target;
  }

  ctr(counter: Uint8Array, data: Uint8Array): Uint8Array {
    const target = new Uint8Array(data);
    const whole = data.length - (data.length % BLOCK);
    let c0 = readWord(counter, 0);
    let c1 = readWord(counter, 4);
    let c2 = readWord(counter, 8);
    let c3 = readWord(counter, 12);
    for (let at = 0; at < data.length; at += BATCH) {
      for (let lane = 0; lane < LANES; lane++) {
        W0[lane] = c0;
        W1[lane] = c1;
        W2[lane] = c2;
        W3[lane] = c3;
        // The counter is public, so that its carries may show.
        c3 = (c3 + 1) | 0;
        if (c3 === 0) c2 = (c2 + 1) | 0;
        if (c3 === 0 && c2 === 0) c1 = (c1 + 1) | 0;
        if (c3 === 0 && c2 === 0 && c1 === 0) c0 = (c0 + 1) | 0;
      }
      cryptState(this.#keys, false);
      const end = Math.min(whole, at + BATCH);
      for (let block = at, lane = 0; block < end; block += BLOCK, lane++) xorBlock(target, block, lane);
      if (end < at + BATCH && end < data.length) {
        const last = new Uint8Array(BLOCK);
        xorBlock(last, 0, (end - at) / BLOCK);
        for (let i = end; i < data.length; i++) target[i] = (target[i] as number) ^ (last[i - end] as number);
        last.fill(0);
      }
    }
    wipeState();
    return target;
  }
}

/** SM4 in TypeScript. */
export function createPortableSm4(): Sm4Engine {
  return { name: "portable", importKey: (key) => new PortableKey(key) };
}
