// DER of ASN.1 (ITU-T X.690), as much of it as keys and signatures need: strict in reading, minimal in writing. It must not
// know any structure.
import { concatBytes } from "./bytes.js";

/** Tags, as the one byte they are. */
export const TAG = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  sequence: 0x30,
  context0: 0xa0,
  context1: 0xa1,
  primitive1: 0x81,
} as const;

/** What malformed DER throws. It never leaves this package: who parses turns it into the error that fits. */
export class MalformedDer extends Error {}

/** Reads the elements of one byte string in order. The contents it gives are views, not copies. */
export class DerReader {
  readonly #bytes: Uint8Array;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Whether the next element has this tag. */
  nextIs(tag: number): boolean {
    return this.#bytes[this.#offset] === tag;
  }

  /** The contents of the next element, which must have this tag. */
  contents(tag: number): Uint8Array {
    if (!this.nextIs(tag)) throw new MalformedDer(`expected tag ${tag}`);
    this.#offset++;
    const length = this.#length();
    const start = this.#offset;
    if (length > this.#bytes.length - start) throw new MalformedDer("an element is longer than its container");
    this.#offset += length;
    return this.#bytes.subarray(start, this.#offset);
  }

  /** A reader of the contents of the next element. */
  enter(tag: number): DerReader {
    return new DerReader(this.contents(tag));
  }

  /** An INTEGER that is not negative, without its sign byte; zero is one byte. X.690 8.3: as few bytes as possible. */
  unsigned(): Uint8Array {
    const contents = this.contents(TAG.integer);
    const first = contents[0];
    const second = contents[1];
    if (first === undefined) throw new MalformedDer("an integer is empty");
    if (first >= 0x80) throw new MalformedDer("an integer is negative");
    if (first !== 0 || second === undefined) return contents;
    if (second < 0x80) throw new MalformedDer("an integer is longer than needed");
    return contents.subarray(1);
  }

  /** The bytes of a BIT STRING that is whole bytes long. */
  bitString(tag: number = TAG.bitString): Uint8Array {
    const contents = this.contents(tag);
    if (contents[0] !== 0) throw new MalformedDer("a bit string is not of whole bytes");
    return contents.subarray(1);
  }

  /** Checks that nothing follows. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw new MalformedDer("bytes follow the last element");
  }

  /** X.690 10.1: the definite form, as short as possible. */
  #length(): number {
    const first = this.#bytes[this.#offset++];
    if (first === undefined) throw new MalformedDer("a length is missing");
    if (first < 0x80) return first;
    const count = first & 0x7f;
    if (count < 1 || count > 3) throw new MalformedDer("a length is indefinite or too long");
    let length = 0;
    for (let i = 0; i < count; i++) length = length * 256 + (this.#bytes[this.#offset++] ?? Number.NaN);
    const shortest = count === 1 ? 0x80 : 256 ** (count - 1);
    if (!(length >= shortest)) throw new MalformedDer("a length is cut off or longer than needed");
    return length;
  }
}

/** Writes one element around its contents. */
export function derElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of contents) length += part.length;
  let header = [length];
  if (length >= 0x80) {
    const digits: number[] = [];
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.unshift(rest % 256);
    header = [0x80 | digits.length, ...digits];
  }
  return concatBytes(Uint8Array.of(tag, ...header), ...contents);
}

/** Writes a big-endian number of any length as a non-negative INTEGER. */
export function derUnsigned(magnitude: Uint8Array): Uint8Array {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const digits = magnitude.subarray(start);
  const isNegative = (digits[0] ?? 0) >= 0x80;
  return derElement(TAG.integer, isNegative || digits.length === 0 ? Uint8Array.of(0) : new Uint8Array(0), digits);
}
