// A new header for a message whose body stays: the data key is opened, wrapped by the envelope's present keys, and bound to the
// message by a tag under a key of its own (message format, section "Suites of our own"). Must touch no body.
import { base64ToBytes, equalBytes, wipe } from "@fengni/crypto/bytes";
import { checkCallerContext } from "./context.js";
import { deriveAndCheckCommitment, deriveMessageKeys } from "./derive.js";
import { authenticationError, FengniError, limitError } from "./errors.js";
import { bindSigningKey } from "./materials.js";
import { createMessageVerifier, type MessageSigner, type MessageVerifier } from "./message-signature.js";
import { contextExpectation, type HeaderOpener, type OpenedDataKey } from "./opening.js";
import { type CallOptions, callOptions, type EncryptionContext } from "./provider.js";
import { isCurrent, matchingKeys } from "./rewrap-match.js";
import type { CheckedRewrapOptions } from "./rewrap-options.js";
import { headerBody, sealHeader } from "./sealed-message.js";
import type { MessageSealer } from "./sealing.js";
import { authenticateHeader } from "./source-header.js";
import { type AlgorithmSuite, formatSuiteId, publicKeyContextKey } from "./suites.js";
import { type ParsedHeader, serializeEncryptedDataKeys, serializeHeader } from "./wire/header.js";
import { keysOf, wrapDataKeyWith } from "./wrapping.js";
import type { EncryptedDataKey, WrappingKey } from "./wrapping-key.js";

/** What headers are rewrapped with. */
export interface Rewrapping {
  readonly sealer: MessageSealer;
  readonly opener: HeaderOpener;
  /** Refuses to go on once the envelope is closed. */
  readonly checkOpen: () => void;
}

/** A header that was opened, and what takes its place. */
export interface RewrappedHeader {
  /** The old one. */
  readonly parsed: ParsedHeader;
  /** The new one, whole; the old one where the message stays as it is. */
  readonly bytes: Uint8Array;
  readonly isUnchanged: boolean;
  /** Has taken the old header, and awaits the body; absent where the suite does not sign. */
  readonly verifier: MessageVerifier | undefined;
  /** Has taken the new header, and awaits the body; absent where the suite does not sign, or the message stays as it is. */
  readonly signer: MessageSigner | undefined;
}

/**
 * Opens a header wholly, its commitment and its tag verified, and makes the one that takes its place.
 * @param bytes - exactly the old header
 * @throws as `Envelope.decrypt`; `ERR_NOT_SUPPORTED` for a suite, a body or keys that cannot be rewrapped; what the wrapping
 *   keys reject with
 */
export async function rewrapHeader(
  { sealer, opener, checkOpen }: Rewrapping,
  bytes: Uint8Array,
  options: CheckedRewrapOptions,
): Promise<RewrappedHeader> {
  const { signal } = options;
  const expectation = contextExpectation(options);
  const held: { opened?: OpenedDataKey } = {};
  try {
    const { parsed } = await authenticateHeader(bytes, opener, {
      signal,
      accept: (header) => {
        rewrappedSuite(header, sealer);
      },
      async open(header) {
        checkOpen();
        held.opened = await opener.openDataKey(header, expectation, signal);
        const { dataKey, unstoredContext } = held.opened;
        return { ...deriveAndCheckCommitment(header, dataKey, unstoredContext), unstoredContext };
      },
    });
    // The header is authentic from here on.
    if (held.opened === undefined) throw authenticationError();
    return await replaceHeader(sealer, parsed, bytes, held.opened, options);
  } finally {
    if (held.opened !== undefined) wipe(held.opened.dataKey);
  }
}

async function replaceHeader(
  sealer: MessageSealer,
  parsed: ParsedHeader,
  bytes: Uint8Array,
  opened: OpenedDataKey,
  options: CheckedRewrapOptions,
): Promise<RewrappedHeader> {
  const { wrapping } = sealer.policy;
  const call = callOptions(options.signal);
  const verifier = verifierOf(parsed);
  verifier?.update(bytes);
  const unchanged: RewrappedHeader = { parsed, bytes, isUnchanged: true, verifier, signer: undefined };
  if (options.unlessCurrent && (await isCurrent(wrapping, parsed.encryptedDataKeys, call))) return unchanged;
  const kept = options.heal ? await keptKeys(sealer, parsed, call) : undefined;
  if (kept?.isComplete === true) return unchanged;

  const suite = rewrappedSuite(parsed, sealer);
  const bound = bindSigningKey({
    suite,
    // What no caller of encrypt could have given is not handed to keys that guard more than messages.
    context: checkCallerContext(withoutPublicKey(opened.context, suite)),
    unstoredContextKeys: Object.keys(opened.context).filter((key) => !Object.hasOwn(parsed.context, key)),
  });
  const added = await wrapDataKeyWith(wrapping, opened.dataKey, bound.context, call, kept?.has);
  // Every key that lacks is an optional one that could not be reached: nothing to write.
  if (kept !== undefined && added.length === 0) return unchanged;
  const all = [...(kept?.encryptedDataKeys ?? []), ...added];
  const { maxEncryptedDataKeys } = sealer.policy.limits;
  if (all.length > maxEncryptedDataKeys) {
    throw limitError("number of encrypted data keys", maxEncryptedDataKeys, all.length, "raise maxEncryptedDataKeys");
  }
  const header = await seal(sealer, suite, parsed, opened.dataKey, bound, serializeEncryptedDataKeys(all));
  const signer = bound.signingKey?.createSigner();
  signer?.update(header);
  return { parsed, bytes: header, isUnchanged: false, verifier, signer };
}

async function seal(
  sealer: MessageSealer,
  suite: AlgorithmSuite,
  { messageId, frameLength, commitment }: ParsedHeader,
  dataKey: Uint8Array,
  { storedContext, unstoredContext }: { readonly storedContext: Uint8Array; readonly unstoredContext: Uint8Array },
  encryptedDataKeys: Uint8Array,
): Promise<Uint8Array> {
  const keys = deriveMessageKeys(suite, dataKey, messageId);
  try {
    // The body's key and the commitment are the old suite's: else the message would be one that nobody can open.
    if (!equalBytes(keys.commitment, commitment ?? new Uint8Array(0))) throw authenticationError();
    const header = serializeHeader({
      suite,
      messageId,
      context: storedContext,
      encryptedDataKeys,
      frameLength,
      commitment: keys.commitment,
    });
    sealer.checkHeaderLength(header.length);
    return await sealHeader(header, unstoredContext, keys.headerCipher(headerBody(header), unstoredContext));
  } finally {
    keys.discard();
  }
}

/**
 * The suite that a message has after a rewrap.
 * @throws `ERR_NOT_SUPPORTED`
 */
function rewrappedSuite({ suite, frameLength }: ParsedHeader, sealer: MessageSealer): AlgorithmSuite {
  const id = formatSuiteId(suite.id);
  const anew = "decrypt it and encrypt it anew";
  if (suite.rewrappedAs === undefined)
    throw unsupported(id, `a message of suite ${id} has no header to replace: ${anew}`);
  if (frameLength === 0) throw unsupported(id, `the message's body is not framed: ${anew}`);
  if (keysOf(sealer.policy.wrapping).length === 0) {
    throw unsupported(id, "this envelope has no wrapping key: it can only open messages");
  }
  const rewrapped = sealer.suiteForWriting(suite.rewrappedAs);
  // Two tags under one key and one IV would give the header's and the frames' authentication away (see suites.ts).
  if (rewrapped.headerKey !== "own") throw unsupported(id, `the header of suite ${id} cannot be sealed twice: ${anew}`);
  return rewrapped;
}

function unsupported(id: string, message: string): FengniError<"ERR_NOT_SUPPORTED"> {
  return new FengniError("ERR_NOT_SUPPORTED", message, { details: { operation: `rewrap suite ${id}` } });
}

/** The verifier of a signing suite; the verification key was checked when the header was opened. */
function verifierOf({ suite, context }: ParsedHeader): MessageVerifier | undefined {
  if (suite.signature === undefined) return undefined;
  return createMessageVerifier(suite.signature, base64ToBytes(context[publicKeyContextKey(suite.signature)] ?? ""));
}

function withoutPublicKey(context: EncryptionContext, { signature }: AlgorithmSuite): EncryptionContext {
  if (signature === undefined) return context;
  const rest: Record<string, string> = Object.assign(Object.create(null), context);
  delete rest[publicKeyContextKey(signature)];
  return rest;
}

/** The encrypted data keys that healing keeps. */
interface KeptKeys {
  readonly encryptedDataKeys: readonly EncryptedDataKey[];
  /** Whether one of them is this key's. */
  readonly has: (key: WrappingKey) => boolean;
  /** Whether every wrapping key has one. */
  readonly isComplete: boolean;
}

async function keptKeys(sealer: MessageSealer, parsed: ParsedHeader, options: CallOptions): Promise<KeptKeys> {
  const { wrapping } = sealer.policy;
  const { encryptedDataKeys, suite } = parsed;
  const matching = await matchingKeys(wrapping, encryptedDataKeys, options);
  const isComplete = matching.size === keysOf(wrapping).length;
  if (!isComplete && suite.signature !== undefined) {
    throw unsupported(
      formatSuiteId(suite.id),
      "a signed message gets a new verification key, which its encrypted data keys are bound to: none can be kept, so " +
        "rewrap it without heal, with every key that shall open it",
    );
  }
  return { encryptedDataKeys, has: (key) => matching.has(key), isComplete };
}
