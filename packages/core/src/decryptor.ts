// Opens one message piece by piece, in the order of the message format's section "Order of work". Gets the data key
// through a function; must not know where it comes from.
import { assertBytes, base64ToBytes, concatBytes, joinBytes, wipe } from "@fengni/crypto/bytes";
import { BodyReader, frameLimit } from "./body-reader.js";
import { OWN_CONTEXT_PREFIX, OWN_PUBLIC_KEY_CONTEXT_KEY, PUBLIC_KEY_CONTEXT_KEY } from "./context.js";
import type { OpeningKeys } from "./derive.js";
import { FengniError, shown } from "./errors.js";
import { type MessageHeader, publicHeader, truncated } from "./message-header.js";
import { createMessageVerifier, type MessageVerifier } from "./message-signature.js";
import { type Awaitable, andThen, gather, Turns } from "./pieces.js";
import { publicKeyContextKey } from "./suites.js";
import type { MessageWatch } from "./telemetry.js";
import { type HeaderLimits, type IncrementalParse, type ParsedHeader, parseHeader } from "./wire/header.js";

const EMPTY = new Uint8Array(0);
/** How much of a chunk is copied at a time until the header is complete, in bytes. */
const HEADER_STEP = 512;

const PUBLIC_KEY_CONTEXT_KEYS: readonly string[] = [PUBLIC_KEY_CONTEXT_KEY, OWN_PUBLIC_KEY_CONTEXT_KEY];

/** What the header's checks and the unwrapping of its data key give. */
export interface OpenedHeader extends OpeningKeys {
  /** Serialised context that the header's tag covers without storing it. */
  readonly unstoredContext: Uint8Array;
}

/** How a message is opened. */
export interface OpeningPlan {
  readonly limits: HeaderLimits;
  /** Longest frame, or body that is not framed, in bytes: what may have to be held before it is authenticated. */
  readonly maxFrameLength: number;
  /** Ends the message when it aborts. */
  readonly signal: AbortSignal | undefined;
  /** Refuse suites that sign. */
  readonly refuseSigned: boolean;
  /** Refuses a suite that the reader's policy does not accept. */
  readonly accept: (header: ParsedHeader) => void;
  /** Checks the context against what the caller expects, gets the data key, derives and checks the commitment. */
  readonly open: (header: ParsedHeader) => Awaitable<OpenedHeader>;
  /** Follows the message, for who listens. */
  readonly watch?: MessageWatch | undefined;
}

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
  #publicHeader: MessageHeader | undefined;
  #body: BodyReader | undefined;
  #received = 0;
  #releasedBytes = 0;
  #ended = false;
  readonly #turns = new Turns();

  /** @internal Made by an Envelope. */
  constructor(plan: OpeningPlan) {
    this.#plan = plan;
    this.#headerParse = parseHeader(plan.limits);
    this.#headerParse.next();
  }

  /** The header, once it is authenticated; before that undefined. */
  get header(): MessageHeader | undefined {
    return this.#publicHeader;
  }

  /** Takes the next part of the message. */
  async update(chunk: Uint8Array): Promise<Uint8Array[]> {
    return this.updateNow(chunk);
  }

  /** Says that the input is at its end. @throws `ERR_MESSAGE_TRUNCATED` when the message is not */
  async final(): Promise<void> {
    this.finalNow();
  }

  /** As {@link update}, without a promise where none is needed; fails at once or later. */
  updateNow(chunk: Uint8Array): Awaitable<Uint8Array[]> {
    assertBytes(chunk, "chunk");
    return andThen(this.#take(chunk), gather);
  }

  /** As {@link final}, without a promise. */
  finalNow(): void {
    this.#checkOpen();
    this.#turns.take(
      () => {
        if (this.#body?.isDone !== true) throw truncated(this.#received);
        this.#ended = true;
        this.#watched()?.ok();
      },
      (error) => this.#fail(error),
    );
  }

  /**
   * @internal A whole message at once: nothing is released before all of it is authenticated. Without a promise where none
   * is needed, fails at once or later.
   */
  openNow(message: Uint8Array): Awaitable<Uint8Array> {
    return andThen(this.#take(message), (pieces) => {
      try {
        this.finalNow();
      } catch (error) {
        wipeAll(pieces);
        throw error;
      }
      return pieces.length === 1 ? (pieces[0] as Uint8Array) : joinBytes(pieces);
    });
  }

  /** Gives up: wipes what is held. */
  abort(): void {
    this.#ended = true;
    this.#body?.abort();
    this.#watched()?.aborted();
  }

  #fail(error: unknown): void {
    this.#watched()?.failed(error, this.#plan.signal);
    this.abort();
  }

  /** Who follows this message, told how far it has come; asked for at its end only. */
  #watched(): MessageWatch | undefined {
    const { watch } = this.#plan;
    if (watch === undefined) return undefined;
    watch.plaintextBytes = this.#releasedBytes;
    watch.frames = this.#body?.frames ?? 0;
    watch.suiteId = this.#header?.suite.id;
    return watch;
  }

  /** @internal The body, once the header is authenticated. */
  get body(): BodyReader | undefined {
    return this.#body;
  }

  /** @internal As {@link BodyReader.claim}. */
  claim(body: BodyReader, frame: Uint8Array): Uint8Array {
    this.#checkOpen();
    this.#plan.signal?.throwIfAborted();
    this.#received += frame.length;
    this.#releasedBytes += body.frameLength;
    return body.claim(frame);
  }

  #take(chunk: Uint8Array): Awaitable<Uint8Array[]> {
    this.#checkOpen();
    const released: Uint8Array[] = [];
    return this.#turns.take(
      () => {
        this.#plan.signal?.throwIfAborted();
        this.#received += chunk.length;
        const work = this.#body === undefined ? this.#takeHeader(chunk, released) : this.#body.update(chunk, released);
        return andThen(work, () => {
          // Given up, or aborted, while the work was waited for.
          this.#checkOpen();
          for (const piece of released) this.#releasedBytes += piece.length;
          return released;
        });
      },
      (error) => {
        this.#fail(error);
        wipeAll(released);
      },
    );
  }

  #takeHeader(chunk: Uint8Array, released: Uint8Array[]): Awaitable<void> {
    const rest = this.#parseHeader(chunk);
    const header = this.#header;
    if (header === undefined) return;
    return andThen(this.#openHeader(header), (body) => {
      this.#body = body;
      this.#checkOpen();
      this.#publicHeader = publicHeader(header);
      return body.update(rest, released);
    });
  }

  #checkOpen(): void {
    if (this.#ended) throw new FengniError("ERR_CLOSED", "this message is ended, or failed");
  }

  /**
   * Adds a chunk to the header's bytes; once the header is parsed, returns what of the chunk follows it. The header is
   * parsed from a copy: data keys are waited for, and what was checked before must be what is authenticated after.
   */
  #parseHeader(chunk: Uint8Array): Uint8Array {
    for (let offset = 0; offset < chunk.length; ) {
      const missing = this.#headerNeeds - this.#headerReceived;
      const end = Math.min(chunk.length, offset + Math.max(missing, HEADER_STEP));
      this.#headerBytes = appendTo(this.#headerBytes, this.#headerReceived, chunk.subarray(offset, end));
      this.#headerReceived += end - offset;
      offset = end;
      const header = this.#advance();
      if (header !== undefined) {
        this.#header = header;
        this.#headerBytes = EMPTY;
        return chunk.subarray(offset - (this.#headerReceived - header.length));
      }
    }
    return EMPTY;
  }

  /** Parses as far as the header's bytes go; returns the header, once it is complete. */
  #advance(): ParsedHeader | undefined {
    const bytes = this.#headerBytes.subarray(0, this.#headerReceived);
    while (bytes.length >= this.#headerNeeds) {
      const step = this.#headerParse.next(bytes);
      if (step.done === true) return step.value;
      this.#headerNeeds = step.value;
    }
    return undefined;
  }

  #openHeader(header: ParsedHeader): Awaitable<BodyReader> {
    const { suite, frameLength } = header;
    this.#plan.accept(header);
    if (suite.signature !== undefined && this.#plan.refuseSigned) {
      throw new FengniError(
        "ERR_MESSAGE_UNSUPPORTED",
        "the message is signed: its plaintext would be released before the signature is verified; decrypt it whole instead",
      );
    }
    if (frameLength > this.#plan.maxFrameLength) throw frameLimit(this.#plan.maxFrameLength, frameLength);
    const verifier = signatureVerifier(header);
    return andThen(this.#plan.open(header), ({ cipher, headerCipher, unstoredContext }) => {
      const aad = unstoredContext.length === 0 ? header.body : concatBytes(header.body, unstoredContext);
      return andThen(headerCipher.open(header.iv, aad, EMPTY, header.tag), () => {
        verifier?.update(header.body);
        if (suite.messageVersion === 1) verifier?.update(header.iv);
        verifier?.update(header.tag);
        return new BodyReader(header, cipher, verifier, this.#plan.maxFrameLength);
      });
    });
  }
}

function wipeAll(pieces: readonly Uint8Array[]): void {
  for (const piece of pieces) wipe(piece);
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
 * @throws `ERR_MESSAGE_INVALID` when the suite and the verification keys in the context disagree, or it is no such key
 */
function signatureVerifier(header: ParsedHeader): MessageVerifier | undefined {
  const { signature } = header.suite;
  const contextKey = signature === undefined ? undefined : publicKeyContextKey(signature);
  for (const other of PUBLIC_KEY_CONTEXT_KEYS) {
    if (other === contextKey || header.context[other] === undefined) continue;
    const why = signature === undefined ? "does not sign" : `keeps its verification key under "${contextKey}"`;
    throw new FengniError("ERR_MESSAGE_INVALID", `the message carries "${other}", but its algorithm suite ${why}`);
  }
  for (const key of Object.keys(header.context)) {
    // Whoever wrote it would have keys asked about what only this library binds to such pairs: its branch keys, for one.
    if (key !== contextKey && key.startsWith(OWN_CONTEXT_PREFIX)) {
      throw new FengniError(
        "ERR_MESSAGE_INVALID",
        `the message carries ${shown(key)}, which no writer of messages stores`,
      );
    }
  }
  if (signature === undefined || contextKey === undefined) return undefined;
  const publicKey = header.context[contextKey];
  if (publicKey === undefined) {
    throw new FengniError(
      "ERR_MESSAGE_INVALID",
      `the message's algorithm suite signs, but its context lacks "${contextKey}"`,
    );
  }
  try {
    return createMessageVerifier(signature, base64ToBytes(publicKey));
  } catch (cause) {
    throw new FengniError(
      "ERR_MESSAGE_INVALID",
      "the message's signature verification key is no key of its algorithm in the form that messages carry",
      { cause },
    );
  }
}
