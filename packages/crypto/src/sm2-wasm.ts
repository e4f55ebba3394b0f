// The arithmetic of SM2 in WebAssembly. Its code has no branch and no address that depends on a secret, so that it is constant-time
// as far as the engine's compiler keeps it so and 64-bit multiplication takes one time, as on 64-bit processors of today. What it
// worked with in its memory is overwritten after each operation on secrets. It must not check arguments nor know encodings.
import { base64ToBytes } from "./bytes.js";
import { SM2_SIZE } from "./sm2-curve.js";
import type { Sm2Arithmetic } from "./sm2-engine.js";
import { SM2_WASM } from "./sm2-wasm-binary.js";

/** What the module exports; the globals are addresses. */
interface Exports {
  readonly memory: WebAssembly.Memory;
  readonly SCALAR: WebAssembly.Global<"i32">;
  readonly OTHER_SCALAR: WebAssembly.Global<"i32">;
  readonly DIGEST: WebAssembly.Global<"i32">;
  readonly POINT: WebAssembly.Global<"i32">;
  readonly SIGNATURE: WebAssembly.Global<"i32">;
  prepare(): void;
  isOnCurve(): number;
  multiplyBase(): void;
  multiply(): void;
  invertSuccessor(): void;
  multiplyAdd(): void;
  sign(): number;
  verify(): number;
  wipe(): void;
}

class WasmArithmetic implements Sm2Arithmetic {
  readonly #module: Exports;
  readonly #memory: Uint8Array;
  readonly #scalar: number;
  readonly #otherScalar: number;
  readonly #digest: number;
  readonly #point: number;
  readonly #signature: number;

  constructor(module: Exports) {
    this.#module = module;
    // The memory cannot grow, so that this stays its buffer.
    this.#memory = new Uint8Array(module.memory.buffer);
    this.#scalar = module.SCALAR.value;
    this.#otherScalar = module.OTHER_SCALAR.value;
    this.#digest = module.DIGEST.value;
    this.#point = module.POINT.value;
    this.#signature = module.SIGNATURE.value;
    module.prepare();
    module.wipe();
  }

  isOnCurve(point: Uint8Array): boolean {
    this.#memory.set(point, this.#point);
    return this.#module.isOnCurve() === 1;
  }

  multiplyBase(scalar: Uint8Array): Uint8Array {
    this.#memory.set(scalar, this.#scalar);
    this.#module.multiplyBase();
    return this.#take(this.#point, 2 * SM2_SIZE);
  }

  multiply(scalar: Uint8Array, point: Uint8Array): Uint8Array {
    this.#memory.set(scalar, this.#scalar);
    this.#memory.set(point, this.#point);
    this.#module.multiply();
    return this.#take(this.#point, 2 * SM2_SIZE);
  }

  signingKey(scalar: Uint8Array): Uint8Array {
    this.#memory.set(scalar, this.#scalar);
    this.#module.invertSuccessor();
    return this.#take(this.#otherScalar, SM2_SIZE);
  }

  multiplyAdd(a: Uint8Array, b: Uint8Array, c: Uint8Array): Uint8Array {
    this.#memory.set(a, this.#otherScalar);
    this.#memory.set(b, this.#scalar);
    this.#memory.set(c, this.#digest);
    this.#module.multiplyAdd();
    return this.#take(this.#scalar, SM2_SIZE);
  }

  sign(signingKey: Uint8Array, nonce: Uint8Array, digest: Uint8Array): Uint8Array | undefined {
    this.#memory.set(signingKey, this.#otherScalar);
    this.#memory.set(nonce, this.#scalar);
    this.#memory.set(digest, this.#digest);
    const isUsable = this.#module.sign() === 1;
    const raw = this.#take(this.#signature, 2 * SM2_SIZE);
    return isUsable ? raw : undefined;
  }

  verify(point: Uint8Array, digest: Uint8Array, raw: Uint8Array): boolean {
    this.#memory.set(point, this.#point);
    this.#memory.set(digest, this.#digest);
    this.#memory.set(raw, this.#signature);
    return this.#module.verify() === 1;
  }

  /** Copies a result out and overwrites everything else. */
  #take(address: number, length: number): Uint8Array {
    const result = this.#memory.slice(address, address + length);
    this.#module.wipe();
    return result;
  }
}

/** The arithmetic of SM2 in WebAssembly; throws where the runtime forbids making code. */
export function createWasmSm2(webAssembly: typeof WebAssembly): Sm2Arithmetic {
  const module = new webAssembly.Module(base64ToBytes(SM2_WASM) as Uint8Array<ArrayBuffer>);
  return new WasmArithmetic(new webAssembly.Instance(module).exports as unknown as Exports);
}
