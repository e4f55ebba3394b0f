// SM2 key exchange (GB/T 32918.3-2016) over any arithmetic: one run of one party. It must not know how keys are encoded.
import { assertBytes, assertInteger } from "./assert.js";
import { concatBytes, equalBytes } from "./bytes.js";
import { authenticationError, FengniError } from "./errors.js";
import { digest } from "./hash.js";
import { assertOptions } from "./options.js";
import type { Sm2ExchangePeer, Sm2ExchangeRole, Sm2KeyExchange, Sm2SharedKey } from "./sm2.js";
import { isSm2Scalar, randomSm2Scalar, SM2_SIZE } from "./sm2-curve.js";
import { sm2Kdf } from "./sm2-encryption.js";
import type { Sm2Arithmetic } from "./sm2-engine.js";
import { sm2KeyInvalid, uncompressedPoint } from "./sm2-keys.js";
import { addMultiple } from "./sm2-noble.js";

const MAX_LENGTH = 65_536;

/** 2^127 + (x modulo 2^127) of a point x || y. Steps A4 and A6. */
function shortened(point: Uint8Array): Uint8Array {
  const short = new Uint8Array(SM2_SIZE);
  short.set(point.subarray(16, SM2_SIZE), 16);
  short[16] = (short[16] as number) | 0x80;
  return short;
}

class KeyExchange implements Sm2KeyExchange {
  readonly #arithmetic: Sm2Arithmetic;
  readonly #role: Sm2ExchangeRole;
  readonly #identity: Uint8Array;
  readonly #ephemeral: Uint8Array;
  /** t = d + x * r modulo n, and undefined after use. Step A5. */
  #secret: Uint8Array | undefined;

  constructor(arithmetic: Sm2Arithmetic, role: Sm2ExchangeRole, scalar: Uint8Array, identity: Uint8Array) {
    this.#arithmetic = arithmetic;
    this.#role = role;
    this.#identity = identity;
    const nonce = randomSm2Scalar(isSm2Scalar);
    this.#ephemeral = arithmetic.multiplyBase(nonce);
    this.#secret = arithmetic.multiplyAdd(scalar, nonce, shortened(this.#ephemeral));
    nonce.fill(0);
  }

  get ephemeral(): Uint8Array {
    return uncompressedPoint(this.#ephemeral);
  }

  finish(peer: Sm2ExchangePeer, length: number): Sm2SharedKey {
    assertOptions(peer, ["publicKey", "ephemeral", "userId"]);
    assertInteger(length, "length", 1, MAX_LENGTH);
    const peerEphemeral = this.#checkPoint(assertBytes(peer.ephemeral, "ephemeral"));
    const peerPoint = this.#checkPoint(assertBytes(peer.publicKey?.point, "publicKey.point"));
    const peerIdentity = peer.publicKey.identityDigest(peer.userId);
    const secret = this.#secret;
    if (secret === undefined)
      throw new FengniError("ERR_CLOSED", "this key exchange was already finished: begin a new one");
    this.#secret = undefined;
    let shared: Uint8Array;
    try {
      shared = this.#agree(secret, peerPoint, peerEphemeral);
    } finally {
      secret.fill(0);
    }
    const isInitiator = this.#role === "initiator";
    const inOrder = (own: Uint8Array, other: Uint8Array): Uint8Array =>
      isInitiator ? concatBytes(own, other) : concatBytes(other, own);
    const identities = inOrder(this.#identity, peerIdentity);
    const key = sm2Kdf(length, shared, identities);
    const [x, y] = [shared.subarray(0, SM2_SIZE), shared.subarray(SM2_SIZE)];
    const inner = digest("sm3", x, identities, inOrder(this.#ephemeral, peerEphemeral));
    // Steps B8 and A10: the responder's begins with 02, the initiator's with 03.
    const ofResponder = digest("sm3", Uint8Array.of(2), y, inner);
    const ofInitiator = digest("sm3", Uint8Array.of(3), y, inner);
    shared.fill(0);
    inner.fill(0);
    const [confirmation, expected] = isInitiator ? [ofInitiator, ofResponder] : [ofResponder, ofInitiator];
    return {
      key,
      confirmation,
      verifyConfirmation: (received) => equalBytes(assertBytes(received, "received"), expected),
    };
  }

  /** The coordinates of a point of the peer's; `ERR_KEY_INVALID` unless it is on the curve. Step A6. */
  #checkPoint(encoded: Uint8Array): Uint8Array {
    const point = new Uint8Array(encoded.subarray(1));
    if (encoded[0] === 4 && point.length === 2 * SM2_SIZE && this.#arithmetic.isOnCurve(point)) return point;
    throw sm2KeyInvalid("expected the peer's point of the SM2 key exchange: 04 and 64 bytes, on the curve");
  }

  /** U = t * (P + x * R); `ERR_AUTHENTICATION` if it is infinity. Step A7. */
  #agree(secret: Uint8Array, peerPoint: Uint8Array, peerEphemeral: Uint8Array): Uint8Array {
    let sum: Uint8Array;
    try {
      sum = addMultiple(peerPoint, shortened(peerEphemeral), peerEphemeral);
    } catch {
      throw authenticationError();
    }
    if (!isSm2Scalar(secret)) throw authenticationError();
    return this.#arithmetic.multiply(secret, sum);
  }
}

/** Begins a run with the party's own private scalar and its Z. */
export function beginExchange(
  arithmetic: Sm2Arithmetic,
  role: Sm2ExchangeRole,
  scalar: Uint8Array,
  identity: Uint8Array,
): Sm2KeyExchange {
  return new KeyExchange(arithmetic, role, scalar, identity);
}
