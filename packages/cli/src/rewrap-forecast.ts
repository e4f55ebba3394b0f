// What a rewrap would do to a message, told from its header without opening it. Must change nothing.
import {
  Envelope,
  type EnvelopeOptions,
  type ErrorCode,
  type ExplainedDataKey,
  type ExplainReason,
  FengniError,
  type MessageExplanation,
  type RewrapOptions,
} from "@fengni/core";
import { isRewrappable } from "./inventory.js";
import type { OpenRewrapKeys } from "./keys.js";
import type { FoundFile } from "./message-files.js";

/** A message that would be worked on. */
export interface Forecast {
  /** Whether it would stay as it is. */
  readonly isUnchanged: boolean;
  /** Bytes of the file as it is now. */
  readonly size: number;
}

/** Forecasts rewraps with the same keys, limits and options. */
export class RewrapForecast {
  readonly #reader: Envelope;
  readonly #writer: Envelope;
  readonly #keys: OpenRewrapKeys;
  readonly #options: RewrapOptions;

  constructor(
    keys: OpenRewrapKeys,
    limits: Pick<EnvelopeOptions, "maxFrameLength" | "maxEncryptedDataKeys">,
    options: RewrapOptions,
  ) {
    // The sealing half of an RSA key matches, and opens nothing.
    this.#reader = new Envelope({
      wrappingKeys: keys.opening.length === 0 ? keys.keys : [],
      unwrappingKeys: keys.opening,
      ...limits,
    });
    this.#writer = new Envelope({ wrappingKeys: keys.keys, ...limits });
    this.#keys = keys;
    this.#options = options;
  }

  /** @throws what stands against rewrapping the message, as far as it can be told */
  async of({ header, headerBytes, sizeBytes }: Extract<FoundFile, { readonly kind: "message" }>): Promise<Forecast> {
    const { heal, unlessCurrent, ...options } = this.#options;
    const explanation = await this.#reader.explain(headerBytes, { ...options, admins: this.#keys.admins });
    if (explanation.verdict === "cannot-open") throw refusalOf(explanation);
    if (!isRewrappable(header)) {
      const text = `a message of the suite ${header.suite.id}, ${header.contentType}, cannot be rewrapped`;
      throw new FengniError("ERR_NOT_SUPPORTED", text, { details: { operation: "rewrap" } });
    }
    if (heal !== true && unlessCurrent !== true) return { isUnchanged: false, size: sizeBytes };
    const { encryptedDataKeys } = await this.#writer.explain(headerBytes, options);
    const isUnchanged = heal === true ? isHealed(encryptedDataKeys) : isCurrent(encryptedDataKeys);
    return { isUnchanged, size: sizeBytes };
  }
}

/** The number of encrypted data keys that each wrapping key matches. */
function matchesByKey(dataKeys: readonly ExplainedDataKey[]): number[] {
  const count = dataKeys[0]?.keys.length ?? 0;
  return Array.from(
    { length: count },
    (_, index) => dataKeys.filter(({ keys }) => keys[index]?.match === "yes").length,
  );
}

function isHealed(dataKeys: readonly ExplainedDataKey[]): boolean {
  return matchesByKey(dataKeys).every((matches) => matches > 0);
}

function isCurrent(dataKeys: readonly ExplainedDataKey[]): boolean {
  const matches = matchesByKey(dataKeys);
  const isEachMatched = dataKeys.every(({ keys }) => keys.filter(({ match }) => match === "yes").length === 1);
  return matches.length === dataKeys.length && matches.every((count) => count === 1) && isEachMatched;
}

/** The first reason that is a failure, as that failure. */
function refusalOf({ reasons }: MessageExplanation): FengniError {
  const failure = reasons.find(isFailure);
  return new FengniError(failure?.code ?? "ERR_NO_MATCHING_KEY", failure?.text ?? "no key opens the message");
}

function isFailure(reason: ExplainReason): reason is ExplainReason & { readonly code: ErrorCode } {
  return reason.code.startsWith("ERR_");
}
