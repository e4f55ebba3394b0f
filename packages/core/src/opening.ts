// Opening headers for an Envelope: policy, context, data key, commitment. Joins the opening cache and the unwrapping keys;
// must know no bytes on the wire and no body.
import { wipe } from "@fengni/crypto/bytes";
import type { BoundedCache } from "./cache.js";
import { cacheKey } from "./cache-key.js";
import type { LoadQueue } from "./cache-loads.js";
import { checkCallerContext, copyContext, requireContext, serializeContext } from "./context.js";
import type { OpenedHeader } from "./decryptor.js";
import { deriveAndCheckCommitment } from "./derive.js";
import type { DecryptOptions } from "./envelope-options.js";
import { FengniError } from "./errors.js";
import type { Awaitable } from "./pieces.js";
import { type CallOptions, callOptions, type EncryptionContext } from "./provider.js";
import { type CommitmentPolicy, checkCommitment, formatSuiteId } from "./suites.js";
import { type UnwrappingPolicy, unwrapDataKey } from "./unwrapping.js";
import type { HeaderLimits, ParsedHeader } from "./wire/header.js";

/** What a reader is made of. */
export interface OpeningPolicy {
  readonly unwrapping: UnwrappingPolicy;
  readonly commitmentPolicy: CommitmentPolicy;
  readonly readableSuites: readonly number[] | undefined;
  readonly limits: HeaderLimits;
  readonly maxFrameLength: number;
  readonly cache: BoundedCache<Uint8Array> | undefined;
  /** Where calls past the cache wait for their turn. */
  readonly loads: LoadQueue | undefined;
}

/** What the caller of a decryption says of the message's context. */
export interface ContextExpectation {
  /** Pairs that must be there. */
  readonly expected: EncryptionContext;
  /** Pairs that the message does not store. */
  readonly reproduced: EncryptionContext;
}

const NO_PAIRS: EncryptionContext = /* @__PURE__ */ Object.freeze(Object.create(null));

/** The expectation in a call's options, copied. */
export function contextExpectation(options: DecryptOptions): ContextExpectation {
  return {
    expected: copied(options.encryptionContext ?? NO_PAIRS),
    reproduced: options.reproducedContext === undefined ? NO_PAIRS : checkCallerContext(options.reproducedContext),
  };
}

function copied(context: EncryptionContext): EncryptionContext {
  return context === NO_PAIRS ? NO_PAIRS : copyContext(context);
}

/** A message's data key, and what it is bound to. */
export interface OpenedDataKey {
  /** The caller wipes it. */
  readonly dataKey: Uint8Array;
  /** The whole context: what the header stores and what the caller reproduced. */
  readonly context: EncryptionContext;
  /** Serialised context that the header's tag covers without storing it. */
  readonly unstoredContext: Uint8Array;
}

/** Opens headers under one policy. */
export class HeaderOpener {
  readonly policy: OpeningPolicy;

  constructor(policy: OpeningPolicy) {
    this.policy = policy;
  }

  /** Refuses a suite that the policy does not accept. @throws `ERR_MESSAGE_UNSUPPORTED` */
  accept({ suite }: Pick<ParsedHeader, "suite">): void {
    const { commitmentPolicy, readableSuites } = this.policy;
    checkCommitment(suite, commitmentPolicy);
    if (readableSuites !== undefined && !readableSuites.includes(suite.id)) {
      const id = formatSuiteId(suite.id);
      throw new FengniError("ERR_MESSAGE_UNSUPPORTED", `algorithm suite ${id} is not among readableSuites`, {
        details: { suite: id },
      });
    }
  }

  /** Checks the context, gets the data key, derives the message's keys and checks its commitment. */
  async open(
    header: ParsedHeader,
    expectation: ContextExpectation,
    signal: AbortSignal | undefined,
  ): Promise<OpenedHeader> {
    return this.openNow(header, expectation, signal);
  }

  /** As {@link open}, without a promise where the data key is cached; fails at once or later. */
  openNow(
    header: ParsedHeader,
    expectation: ContextExpectation,
    signal: AbortSignal | undefined,
  ): Awaitable<OpenedHeader> {
    signal?.throwIfAborted();
    const { context, unstoredContext } = wholeContext(header, expectation);
    const { suite } = header;
    const derive = (dataKey: Uint8Array): OpenedHeader => {
      const { cipher, headerCipher } = deriveAndCheckCommitment(header, dataKey, unstoredContext);
      return { cipher, headerCipher, unstoredContext };
    };
    const { cache } = this.policy;
    if (cache === undefined) return this.#openUncached(header, context, derive, signal);
    const key = cacheKey(suite.id, header.wrapping, unstoredContext);
    return (
      cache.useNow(key, 0, derive, undefined) ??
      cache.use(key, 0, () => this.#unwrap(header, context, {}), derive, signal)
    );
  }

  async #openUncached(
    header: ParsedHeader,
    context: EncryptionContext,
    derive: (dataKey: Uint8Array) => OpenedHeader,
    signal: AbortSignal | undefined,
  ): Promise<OpenedHeader> {
    const dataKey = await this.#unwrap(header, context, callOptions(signal));
    try {
      return derive(dataKey);
    } finally {
      wipe(dataKey);
    }
  }

  /** The data key itself, past the cache: for who wraps it anew. Its commitment is not checked here. */
  async openDataKey(
    header: ParsedHeader,
    expectation: ContextExpectation,
    signal: AbortSignal | undefined,
  ): Promise<OpenedDataKey> {
    const { context, unstoredContext } = wholeContext(header, expectation);
    const unwrap = (): Promise<Uint8Array> => this.#unwrap(header, context, callOptions(signal));
    const { loads } = this.policy;
    return { dataKey: await (loads === undefined ? unwrap() : loads.run(unwrap)), context, unstoredContext };
  }

  #unwrap(header: ParsedHeader, context: EncryptionContext, options: CallOptions): Promise<Uint8Array> {
    const { suite, encryptedDataKeys } = header;
    const order = { encryptedDataKeys, dataKeyBytes: suite.dataKeyBytes, context };
    return unwrapDataKey(this.policy.unwrapping, order, options);
  }
}

/**
 * Joins what the header stores with what the caller reproduced, and checks both against the expectation.
 * @throws `ERR_CONTEXT_MISMATCH`
 */
function wholeContext(
  header: ParsedHeader,
  { expected, reproduced }: ContextExpectation,
): Omit<OpenedDataKey, "dataKey"> {
  if (Object.keys(reproduced).length === 0) {
    requireContext(header.context, expected);
    return { context: header.context, unstoredContext: new Uint8Array(0) };
  }
  const context: Record<string, string> = Object.assign(Object.create(null), header.context);
  const unstored: Record<string, string> = Object.create(null);
  for (const [key, value] of Object.entries(reproduced)) {
    if (!Object.hasOwn(context, key)) unstored[key] = value;
    else if (context[key] !== value) requireContext(context, { [key]: value });
    context[key] = value;
  }
  requireContext(context, expected);
  return { context, unstoredContext: serializeContext(unstored) };
}
