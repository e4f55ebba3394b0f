// The header of a message whose body is not read through: found in a source, and authenticated by the very engine that opens
// whole messages. Must know no bytes on the wire and no frame.
import { concatBytes } from "@fengni/crypto/bytes";
import { MessageDecryptor, type OpenedHeader } from "./decryptor.js";
import { type MessageHeader, truncated } from "./message-header.js";
import type { HeaderOpener } from "./opening.js";
import type { CheckedSource } from "./source.js";
import { type HeaderLimits, type ParsedHeader, parseHeader } from "./wire/header.js";

/** How much of a source is read at first, in bytes: most headers are shorter. */
const FIRST_READ = 4096;

/**
 * Reads the bytes of a header, and at most twice as many, in few reads. Nothing of it is authenticated.
 * @returns a buffer of its own that holds exactly the header
 * @throws `ERR_MESSAGE_TRUNCATED`, `ERR_MESSAGE_INVALID`, `ERR_MESSAGE_UNSUPPORTED`, `ERR_LIMIT`
 */
export async function readHeader(
  source: CheckedSource,
  limits: HeaderLimits,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const parse = parseHeader(limits);
  let bytes: Uint8Array = new Uint8Array(0);
  let step = parse.next();
  while (step.done !== true) {
    const needed = step.value;
    if (needed > source.size) throw truncated(source.size);
    if (needed > bytes.length) {
      const end = Math.min(source.size, Math.max(needed, bytes.length * 2, FIRST_READ));
      bytes = concatBytes(bytes, await source.read(bytes.length, end - bytes.length, signal));
    }
    step = parse.next(bytes);
  }
  return bytes.slice(0, step.value.length);
}

/** How a header is authenticated. */
export interface HeaderPlan {
  readonly signal: AbortSignal | undefined;
  /** Refuses what the caller cannot work with, before any key is asked. */
  readonly accept: (header: ParsedHeader) => void;
  /** Gets the data key, derives and checks the commitment. */
  readonly open: (header: ParsedHeader) => Promise<OpenedHeader>;
}

/** A header whose tag was verified. */
export interface AuthenticHeader {
  readonly parsed: ParsedHeader;
  readonly opened: OpenedHeader;
  readonly header: MessageHeader;
}

/**
 * Authenticates a header: every check that opening a whole message makes before its body.
 * @param bytes - exactly the header
 * @throws as `Envelope.decrypt`
 */
export async function authenticateHeader(
  bytes: Uint8Array,
  opener: HeaderOpener,
  plan: HeaderPlan,
): Promise<AuthenticHeader> {
  const { limits, maxFrameLength } = opener.policy;
  let found: Omit<AuthenticHeader, "header"> | undefined;
  const decryptor = new MessageDecryptor({
    limits,
    maxFrameLength,
    refuseSigned: false,
    signal: plan.signal,
    accept(header) {
      opener.accept(header);
      plan.accept(header);
    },
    async open(header) {
      const opened = await plan.open(header);
      found = { parsed: header, opened };
      return opened;
    },
  });
  await decryptor.update(bytes);
  const { header } = decryptor;
  decryptor.abort();
  if (found === undefined || header === undefined) throw truncated(bytes.length);
  return { ...found, header };
}
