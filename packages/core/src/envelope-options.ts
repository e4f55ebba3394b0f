// The options of an Envelope and of its calls, with their defaults and checks. Must know neither engines nor cache.
import type { AlgorithmPolicy } from "./algorithm-policy.js";
import type { DataKeyCacheOptions } from "./cache.js";
import { argumentError } from "./errors.js";
import type { MessageHeader } from "./message-header.js";
import { hasMethods } from "./options.js";
import type { CallOptions, EncryptionContext } from "./provider.js";
import { algorithmSuites, type CommitmentPolicy, formatSuiteId, type WritableSuiteId } from "./suites.js";
import type { TelemetryListener } from "./telemetry.js";
import type { UnwrappingKey, WrappingKey } from "./wrapping-key.js";

/** Bytes of plaintext in a frame unless told otherwise: past it, throughput hardly rises any more (docs/performance.md). */
export const DEFAULT_FRAME_LENGTH: number = 64 * 1024;
/** Longest frame, or body that is not framed, that is read unless told otherwise, in bytes. */
export const DEFAULT_MAX_FRAME_LENGTH: number = 64 * 1024 * 1024;

/** What an {@link Envelope} is made of. */
export interface EnvelopeOptions {
  /**
   * Keys that wrap each message's data key, side by side: the first generates it. No message is written without all of
   * them. Each of them opens what it wrapped, tried in this order. Empty: the envelope only opens messages, unless there
   * are `optionalWrappingKeys`.
   */
  readonly wrappingKeys: readonly WrappingKey[];
  /**
   * Keys that wrap too where they can: a message is written without one that fails, or that could not be reached in the last
   * {@link KEY_COOL_OFF_MS}, and `rewrap` with `heal` adds it later.
   * They open messages after `wrappingKeys`.
   */
  readonly optionalWrappingKeys?: readonly WrappingKey[];
  /** Fewest keys, required and optional, that must have wrapped a data key; default: as many as `wrappingKeys`, at least 1. */
  readonly minimumWrappings?: number;
  /**
   * How long one call of a wrapping key may take, in milliseconds, 1 to 600,000; default {@link DEFAULT_KEY_DEADLINE_MS}.
   * After it the next key is tried. A key that could not be reached is tried last for a while.
   */
  readonly keyDeadlineMs?: number;
  /** `gm-only`: nothing but the algorithms of the SM family, checked here and now; default `any`. */
  readonly algorithmPolicy?: AlgorithmPolicy;
  /** Further keys that only open messages, tried after the others: older keys, or `discoverKeys`. */
  readonly unwrappingKeys?: readonly UnwrappingKey[];
  /** Suite to write with; default {@link DEFAULT_SUITE}. */
  readonly suite?: WritableSuiteId;
  /** Bytes of plaintext in a frame, 1 to `maxFrameLength`; default {@link DEFAULT_FRAME_LENGTH}. */
  readonly frameLength?: number;
  /** Which suites are opened; default `require-encrypt-require-decrypt`: only those that commit to their data key. */
  readonly commitmentPolicy?: CommitmentPolicy;
  /** Ids of the suites that are opened, within the commitment policy; absent: every one that the policy accepts. */
  readonly readableSuites?: readonly number[];
  /** Most encrypted data keys of a message, written or read, 1 to 65,535; default {@link DEFAULT_MAX_ENCRYPTED_DATA_KEYS}. */
  readonly maxEncryptedDataKeys?: number;
  /** Longest frame, or body that is not framed, that is read, in bytes; default {@link DEFAULT_MAX_FRAME_LENGTH}. */
  readonly maxFrameLength?: number;
  /** Longest header that is read, in bytes; default 1 MiB. */
  readonly maxHeaderLength?: number;
  /** Reuse data keys for many messages within these bounds; absent: a fresh data key from the provider for each message. */
  readonly cache?: DataKeyCacheOptions;
  /** Is told of provider calls, cache use, messages and the standing of keys; nothing it is told is secret. */
  readonly telemetry?: TelemetryListener;
}

/** Options of one encryption. */
export interface EncryptOptions extends CallOptions {
  /** Pairs that are authenticated with the message and stored in it in clear; needed again to open it. */
  readonly encryptionContext?: EncryptionContext;
  /** Keys of the context that are authenticated but not stored: `decrypt` then needs them in `reproducedContext`. */
  readonly unstoredContextKeys?: readonly string[];
  /** Default: the envelope's. */
  readonly suite?: WritableSuiteId;
  /** Default: the envelope's. */
  readonly frameLength?: number;
}

/** Options of an encryption whose plaintext comes in parts. */
export interface EncryptStreamOptions extends EncryptOptions {
  /**
   * Most bytes of plaintext that may come; more is an error. Without it a stream does not use the data-key cache, whose
   * budget of bytes could not be kept.
   */
  readonly maxPlaintextLength?: number;
}

/** Options of one decryption. */
export interface DecryptOptions extends CallOptions {
  /** Pairs that must be in the message's context; there may be more. */
  readonly encryptionContext?: EncryptionContext;
  /** Pairs that were authenticated but not stored (`unstoredContextKeys`). */
  readonly reproducedContext?: EncryptionContext;
}

/** Options of a decryption that releases plaintext in parts. */
export interface DecryptStreamOptions extends DecryptOptions {
  /** Refuse messages whose suite signs, because a stream releases plaintext before the signature is verified; default false. */
  readonly refuseSigned?: boolean;
}

/** An opened message. */
export interface DecryptedMessage {
  /** The caller owns the buffer. */
  readonly plaintext: Uint8Array;
  /** The authenticated header. */
  readonly header: MessageHeader;
}

/** Fields of {@link EnvelopeOptions}. */
export const ENVELOPE_FIELDS: readonly string[] = [
  "wrappingKeys",
  "optionalWrappingKeys",
  "minimumWrappings",
  "keyDeadlineMs",
  "algorithmPolicy",
  "unwrappingKeys",
  "suite",
  "frameLength",
  "commitmentPolicy",
  "readableSuites",
  "maxEncryptedDataKeys",
  "maxFrameLength",
  "maxHeaderLength",
  "cache",
  "telemetry",
];
/** Fields of {@link EncryptOptions}. */
export const ENCRYPT_FIELDS: readonly string[] = [
  "encryptionContext",
  "unstoredContextKeys",
  "suite",
  "frameLength",
  "signal",
];
/** Fields of {@link EncryptStreamOptions}. */
export const ENCRYPT_STREAM_FIELDS: readonly string[] = [...ENCRYPT_FIELDS, "maxPlaintextLength"];
/** Fields of {@link DecryptOptions}. */
export const DECRYPT_FIELDS: readonly string[] = ["encryptionContext", "reproducedContext", "signal"];
/** Fields of {@link DecryptStreamOptions}. */
export const DECRYPT_STREAM_FIELDS: readonly string[] = [...DECRYPT_FIELDS, "refuseSigned"];

/** @throws TypeError (`ERR_ARGUMENT`) unless `envelope` has the method of an Envelope that is asked for */
export function checkEnvelope(where: string, envelope: unknown, method: string): void {
  if (!hasMethods(envelope, [method])) throw argumentError(`${where} expected an Envelope as its first argument`);
}

/** @throws TypeError (`ERR_ARGUMENT`) unless `keys` is an array of objects with these methods */
export function checkKeys(name: string, keys: unknown, methods: readonly string[]): void {
  if (!Array.isArray(keys) || !keys.every((key) => hasMethods(key, methods))) {
    throw argumentError(`${name} expected an array of objects with the methods ${methods.join(", ")}`);
  }
}

/** @throws TypeError (`ERR_ARGUMENT`) unless `ids` are ids of suites */
export function checkSuites(ids: readonly number[]): readonly number[] {
  const known = algorithmSuites().map((suite) => suite.id);
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every((id) => known.includes(id))) {
    throw argumentError(`readableSuites expected ids of suites, of ${known.map(formatSuiteId).join(", ")}`);
  }
  return [...ids];
}
