// What is the same in every SM2 implementation: the making and reading of keys around an engine. It must not know which engines
// there are.
import { assertBytes } from "./assert.js";
import { equalBytes } from "./bytes.js";
import type { Sm2Implementation, Sm2PrivateKey, Sm2PublicKey } from "./sm2.js";
import { isSm2PrivateScalar, randomSm2Scalar } from "./sm2-curve.js";
import type { Sm2Engine } from "./sm2-engine.js";
import { copyPrivateScalar, parseSm2PrivateKey, parseSm2PublicKey, sm2KeyInvalid } from "./sm2-keys.js";
import { decompressPoint } from "./sm2-noble.js";
import { PrivateKey } from "./sm2-private-key.js";
import { Identity, PublicKey } from "./sm2-public-key.js";

/** An implementation with its arguments checked. */
export class CheckedSm2 implements Sm2Implementation {
  readonly name: string;
  readonly engine: Sm2Engine;

  constructor(engine: Sm2Engine) {
    this.name = engine.name;
    this.engine = engine;
  }

  generateKey(): Sm2PrivateKey {
    const scalar = randomSm2Scalar(isSm2PrivateScalar);
    return new PrivateKey(this.engine, scalar, this.engine.arithmetic.multiplyBase(scalar));
  }

  importPrivateKey(key: Uint8Array | string): Sm2PrivateKey {
    const { scalar, point: stored } = parseSm2PrivateKey(key);
    const point = this.engine.arithmetic.multiplyBase(scalar);
    if (stored !== undefined && !equalBytes(this.#expand(stored), point)) {
      scalar.fill(0);
      throw sm2KeyInvalid("the public point beside the SM2 private key is another key's");
    }
    return new PrivateKey(this.engine, scalar, point);
  }

  importPrivateScalar(scalar: Uint8Array): Sm2PrivateKey {
    const copy = copyPrivateScalar(assertBytes(scalar, "scalar"));
    return new PrivateKey(this.engine, copy, this.engine.arithmetic.multiplyBase(copy));
  }

  importPublicKey(key: Uint8Array | string): Sm2PublicKey {
    const point = this.#expand(parseSm2PublicKey(key));
    return new PublicKey(this.engine, point, new Identity(point));
  }

  /** The point x || y of an encoding of a point, a buffer of its own; `ERR_KEY_INVALID` unless it is on the curve. */
  #expand(encoded: Uint8Array): Uint8Array {
    if (encoded[0] === 4) {
      // A copy: a Buffer's slice() would stay the caller's memory, which may change after the check.
      const point = new Uint8Array(encoded.subarray(1));
      if (this.engine.arithmetic.isOnCurve(point)) return point;
    } else {
      try {
        return decompressPoint(encoded);
      } catch {
        // Not the x of any point.
      }
    }
    throw sm2KeyInvalid("not an SM2 public key: the point is not on the curve");
  }
}
