// Opens one message piece by piece, in the order of the message format's section "Order of work". Gets the data key
// through a function; must not know where it comes from.
import type { AeadKey, AeadOpener } from "@fengni/crypto/aes-gcm";
import { base64ToBytes, concatBytes, wipe } from "@fengni/crypto/bytes";
import { createEcdsaVerifier, type EcdsaVerifier } from "@fengni/crypto/ecdsa";
import { PUBLIC_KEY_CONTEXT_KEY } from "./context.js";
import { authenticationError, FengniError, limitError } from "./errors.js";
import { type MessageHeader, publicHeader, truncated } from "./message-header.js";
import { checkBytes } from "./options.js";
import { FOOTER_HEAD_BYTES, footerSignatureLength } from "./wire/footer.js";
import {
  BlockAad,
  type BlockHead,
  frameHeadLength,
  MAX_FRAMES,
  NON_FRAMED_HEAD_BYTES,
  parseFrameHead,
  parseNonFramedHead,
} from "./wire/frame.js";
import {
  GCM_TAG_BYTES,
  type HeaderLimits,
  type IncrementalParse,
  type ParsedHeader,
  parseHeader,
} from "./wire/header.js";
import { readU32 } from "./wire/integers.js";

const EMPTY = new Uint8Array(0);

/** What the header's checks and the unwrapping of its data key give. */
export interface OpenedHeader {
  readonly cipher: AeadKey;
  /** Serialised context that the header's tag covers without storing it. */
  readonly unstoredContext: Uint8Array;
}

/** How a message is opened. */
export interface OpeningPlan {
  readonly limits: HeaderLimits;
  /** Longest frame, or body that is not framed, in bytes: what may have to be held before it is authenticated. */
  readonly maxFrameLength: number;
  /** Refuse suites that sign. */
  readonly refuseSigned: boolean;
  /** Refuses a suite that the reader's policy does not accept. */
  readonly accept: (header: ParsedHeader) => void;
  /** Checks the context against what the caller expects, gets the data key, derives and checks the commitment. */
  readonly open: (header: ParsedHeader) => Promise<OpenedHeader>;
}

/** Where the reader stands in the body. */
type Stage = "mark" | "head" | "content" | "tag" | "footer-length" | "signature" | "done";

/**
 * Opens one message from chunks of any size. Each call gives the plaintext that is authenticated, in order, as pieces that
 * the caller owns. Calls must not overlap. After an error nothing more comes out, and what came out before must be
 * discarded: a message is whole only when `final` has settled.
 */
export class MessageDecryptor {
  readonly #plan: OpeningPlan;
  /** The header's bytes, until it is complete. */
  #headerBytes: Uint8Array = EMPTY;
  #headerReceived = 0;
  readonly #headerParse: IncrementalParse<ParsedHeader>;
  #headerNeeds = 1;
  #header: ParsedHeader | undefined;
  #body: BodyReader | undefined;
  #received = 0;
  #ended = false;

  /** @internal Made by an Envelope. */
  constructor(plan: OpeningPlan) {
    this.#plan = plan;
    this.#headerParse = parseHeader(plan.limits);
    this.#headerNeeds = this.#headerParse.next().value as number;
  }

  /** The header, once it is authenticated; before that undefined. */
  get header(): MessageHeader | undefined {
    return this.#body === undefined || this.#header === undefined ? undefined : publicHeader(this.#header);
  }

  /** Takes the next part of the message. */
  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    checkBytes("chunk", chunk);
    return this.#guard(async () => {
      this.#received += chunk.length;
      if (this.#body !== undefined) return this.#body.update(chunk);
      const rest = this.#parseHeader(chunk);
      if (this.#header === undefined) return [];
      this.#body = await this.#open(this.#header);
      return this.#body.update(rest);
    });
  }

  /** Says that the input is at its end. @throws `ERR_MESSAGE_TRUNCATED` when the message is not */
  async final(): Promise<void> {
    await this.#guard(async () => {
      if (this.#body?.isDone !== true) throw truncated(this.#received);
      return [];
    });
    this.#ended = true;
  }

  /** Gives up: wipes what is held. */
  abort(): void {
    this.#ended = true;
    this.#body?.abort();
  }

  async #guard(work: () => Promise<Uint8Array[]>): Promise<Uint8Array[]> {
    if (this.#ended) throw new FengniError("ERR_CLOSED", "this message is ended, or failed");
    try {
      return await work();
    } catch (error) {
      this.abort();
      throw error;
    }
  }

  /** Adds a chunk to the header's bytes; once the header is parsed, returns what of the chunk follows it. */
  #parseHeader(chunk: Uint8Array): Uint8Array {
    if (this.#headerReceived === 0) {
      this.#headerBytes = chunk;
    } else {
      this.#headerBytes = appendTo(this.#headerBytes, this.#headerReceived, chunk);
    }
    const isOwn = this.#headerReceived > 0;
    this.#headerReceived += chunk.length;
    const bytes = this.#headerBytes.subarray(0, this.#headerReceived);
    while (bytes.length >= this.#headerNeeds) {
      const step = this.#headerParse.next(bytes);
      if (step.done === true) {
        this.#header = step.value;
        this.#headerBytes = EMPTY;
        return bytes.subarray(step.value.length);
      }
      this.#headerNeeds = step.value;
    }
    // The chunk stays the caller's: what must be kept is copied.
    if (!isOwn) this.#headerBytes = chunk.slice();
    return EMPTY;
  }

  async #open(header: ParsedHeader): Promise<BodyReader> {
    const { suite, frameLength } = header;
    this.#plan.accept(header);
    if (suite.signatureCurve !== undefined && this.#plan.refuseSigned) {
      throw new FengniError(
        "ERR_MESSAGE_UNSUPPORTED",
        "the message is signed: its plaintext would be released before the signature is verified; decrypt it whole instead",
      );
    }
    if (frameLength > this.#plan.maxFrameLength) throw frameLimit(this.#plan.maxFrameLength, frameLength);
    const verifier = signatureVerifier(header);
    const { cipher, unstoredContext } = await this.#plan.open(header);
    const aad = unstoredContext.length === 0 ? header.body : concatBytes(header.body, unstoredContext);
    await cipher.open(header.iv, aad, EMPTY, header.tag);
    verifier?.update(header.body);
    if (suite.messageVersion === 1) verifier?.update(header.iv);
    verifier?.update(header.tag);
    return new BodyReader(header, cipher, verifier, this.#plan.maxFrameLength);
  }
}

function frameLimit(maximum: number, actual: number): FengniError<"ERR_LIMIT"> {
  return limitError("frame length", maximum, actual, "raise maxFrameLength if this is expected");
}

/** Grows by doubling, so that a header that comes byte by byte costs linear time. */
function appendTo(buffer: Uint8Array, length: number, chunk: Uint8Array): Uint8Array {
  let target = buffer;
  if (target.length < length + chunk.length) {
    target = new Uint8Array(Math.max(length + chunk.length, length * 2, 256));
    target.set(buffer.subarray(0, length));
  }
  target.set(chunk, length);
  return target;
}

/**
 * The verifier of a signing suite.
 * @throws `ERR_MESSAGE_INVALID` when the suite and the presence of a verification key disagree, or it is no such key
 */
function signatureVerifier(header: ParsedHeader): EcdsaVerifier | undefined {
  const { signatureCurve } = header.suite;
  const publicKey = header.context[PUBLIC_KEY_CONTEXT_KEY];
  if ((signatureCurve === undefined) !== (publicKey === undefined)) {
    throw new FengniError(
      "ERR_MESSAGE_INVALID",
      signatureCurve === undefined
        ? `the message carries "${PUBLIC_KEY_CONTEXT_KEY}", but its algorithm suite does not sign`
        : `the message's algorithm suite signs, but its context lacks "${PUBLIC_KEY_CONTEXT_KEY}"`,
    );
  }
  if (signatureCurve === undefined || publicKey === undefined) return undefined;
  try {
    return createEcdsaVerifier(signatureCurve, base64ToBytes(publicKey));
  } catch (cause) {
    throw new FengniError(
      "ERR_MESSAGE_INVALID",
      "the message's signature verification key is no compressed point of its curve",
      {
        cause,
      },
    );
  }
}

/** Reads the body and the footer. Small fixed fields are collected; content goes straight to the cipher. */
class BodyReader {
  readonly #header: ParsedHeader;
  readonly #cipher: AeadKey;
  readonly #verifier: EcdsaVerifier | undefined;
  readonly #aad: BlockAad;
  readonly #maxFrameLength: number;
  #stage: Stage;
  /** A field of fixed length, as far as it has come. */
  #field: Uint8Array;
  #fieldLength = 0;
  #sequence = 1;
  #block: BlockHead | undefined;
  #opener: AeadOpener | undefined;
  #contentLeft = 0;
  /** Plaintext of the last block of a signed message, until the signature is verified. */
  #heldBack: readonly Uint8Array[] = [];

  constructor(header: ParsedHeader, cipher: AeadKey, verifier: EcdsaVerifier | undefined, maxFrameLength: number) {
    this.#header = header;
    this.#cipher = cipher;
    this.#verifier = verifier;
    this.#aad = new BlockAad(header.messageId.slice());
    this.#maxFrameLength = maxFrameLength;
    this.#stage = header.frameLength === 0 ? "head" : "mark";
    this.#field = new Uint8Array(header.frameLength === 0 ? NON_FRAMED_HEAD_BYTES : 4);
  }

  get isDone(): boolean {
    return this.#stage === "done";
  }

  abort(): void {
    this.#opener?.abort();
    wipe(...this.#heldBack);
  }

  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    const released: Uint8Array[] = [];
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#stage === "done") {
        throw new FengniError("ERR_MESSAGE_INVALID", "there are bytes after the end of the message");
      }
      if (this.#stage === "content") {
        const part = chunk.subarray(offset, offset + this.#contentLeft);
        this.#verifier?.update(part);
        this.#opener?.update(part);
        this.#contentLeft -= part.length;
        offset += part.length;
        if (this.#contentLeft === 0) this.#expect("tag", GCM_TAG_BYTES);
      } else {
        offset += this.#collect(chunk, offset);
        if (this.#fieldLength === this.#field.length) await this.#fieldDone(released);
      }
    }
    return released;
  }

  #expect(stage: Stage, fieldLength: number): void {
    this.#stage = stage;
    this.#field = new Uint8Array(fieldLength);
    this.#fieldLength = 0;
  }

  #collect(chunk: Uint8Array, offset: number): number {
    const taken = Math.min(chunk.length - offset, this.#field.length - this.#fieldLength);
    this.#field.set(chunk.subarray(offset, offset + taken), this.#fieldLength);
    this.#fieldLength += taken;
    return taken;
  }

  async #fieldDone(released: Uint8Array[]): Promise<void> {
    const field = this.#field;
    if (this.#stage === "mark") {
      // A frame's first four bytes tell how long its head is.
      this.#expect("head", frameHeadLength(readU32(field, 0)));
      this.#fieldLength = this.#collect(field, 0);
    } else if (this.#stage === "head") {
      this.#verifier?.update(field);
      this.#beginBlock(field);
    } else if (this.#stage === "tag") {
      this.#verifier?.update(field);
      await this.#endBlock(field, released);
    } else if (this.#stage === "footer-length") {
      const length = footerSignatureLength(field);
      if (length === 0) throw authenticationError();
      this.#expect("signature", length);
    } else {
      if (this.#verifier?.verify(field) !== true) throw authenticationError();
      released.push(...this.#heldBack);
      this.#heldBack = [];
      this.#expect("done", 0);
    }
  }

  #beginBlock(head: Uint8Array): void {
    const isFramed = this.#header.frameLength > 0;
    if (isFramed && this.#sequence > MAX_FRAMES)
      throw limitError("number of frames", MAX_FRAMES, this.#sequence, "none");
    const block = isFramed ? parseFrameHead(head, this.#sequence, this.#header.frameLength) : parseNonFramedHead(head);
    if (block.length > this.#maxFrameLength) throw frameLimit(this.#maxFrameLength, block.length);
    this.#block = block;
    const aad = this.#aad.of(block.kind, block.sequence, block.length).slice();
    this.#opener = this.#cipher.openIncremental(block.iv, aad, block.length);
    this.#contentLeft = block.length;
    if (block.length === 0) this.#expect("tag", GCM_TAG_BYTES);
    else this.#stage = "content";
  }

  async #endBlock(tag: Uint8Array, released: Uint8Array[]): Promise<void> {
    const opener = this.#opener as AeadOpener;
    const result = opener.final(tag);
    const plaintext = result instanceof Promise ? await result : result;
    this.#opener = undefined;
    this.#sequence += 1;
    if (this.#block?.kind === "regular") {
      released.push(...plaintext);
      this.#expect("mark", 4);
    } else if (this.#verifier === undefined) {
      released.push(...plaintext);
      this.#expect("done", 0);
    } else {
      this.#heldBack = plaintext;
      this.#expect("footer-length", FOOTER_HEAD_BYTES);
    }
  }
}
