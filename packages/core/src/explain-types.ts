// What an explanation of a message says, and the options and checks that go with it. Must ask nobody.
import { DECRYPT_FIELDS, type DecryptOptions } from "./envelope-options.js";
import { argumentError, type ErrorCode } from "./errors.js";
import type { MessageHeader } from "./message-header.js";
import { checkOptions } from "./options.js";
import type { KeyAdmin, KeyState } from "./provider.js";

/** Who tells the states of the keys of one provider. */
export interface ProviderAdmin {
  /** As messages name the provider: nobody else's keys are asked about, for whom they would not be found. */
  readonly providerId: string;
  readonly admin: Pick<KeyAdmin, "describeKey">;
}

/** Options of {@link Envelope.explain}: the context as `decrypt` would be given it. */
export interface ExplainOptions extends DecryptOptions {
  /** At most one of each provider; keys of other providers are taken to be usable. */
  readonly admins?: readonly ProviderAdmin[];
}

/** Whether the envelope would open the message, as far as that can be told without opening anything. */
export type ExplainVerdict = "can-open" | "cannot-open" | "cannot-tell";

/**
 * Why: the code with which `decrypt` would fail, or what else counts. `key-matches`: a key that would be asked.
 * `key-demoted`: it could not be reached of late and is asked after the others. `key-cannot-tell`: it does not say, or could
 * not be asked, whether an encrypted data key is its own. `state-unknown`: an admin did not tell a key's state.
 */
export type ExplainReasonCode = ErrorCode | "key-matches" | "key-demoted" | "key-cannot-tell" | "state-unknown";

/** One reason of a verdict. */
export interface ExplainReason {
  readonly code: ExplainReasonCode;
  /** One sentence; text of the message in it is short, in quotes and without control characters. */
  readonly text: string;
}

/** Whether an encrypted data key is a key's; `unknown`: it cannot tell, or could not be asked. */
export type KeyMatch = "yes" | "no" | "unknown";

/** What one configured key says of one encrypted data key. */
export interface ExplainedKey {
  /** The configured key's name. */
  readonly name: string;
  readonly match: KeyMatch;
  /** Whether the key is asked after the others at the moment, because it could not be reached of late. */
  readonly isDemoted: boolean;
}

/**
 * The state of the key that an encrypted data key names; `not-asked`: no key matches, or there is no admin of its provider;
 * `unknown`: the admin did not tell, for example because describing is not allowed.
 */
export type ExplainedKeyState = KeyState | "not-found" | "not-asked" | "unknown";

/** What can be told of one encrypted data key. */
export interface ExplainedDataKey {
  readonly providerId: string;
  /** Provider and key, fit for people: short, in quotes, without control characters. */
  readonly description: string;
  /** Every key of the envelope that opens, in its order. */
  readonly keys: readonly ExplainedKey[];
  readonly state: ExplainedKeyState;
  /** The code with which a decryption by the key would fail, where its state says so. */
  readonly refusal?: ErrorCode;
}

/** What an envelope says of a message that it did not open: nothing in it is authenticated. */
export interface MessageExplanation {
  readonly verdict: ExplainVerdict;
  /** What stops the envelope before it asks a key first, then what there is to say of each encrypted data key, and of keys. */
  readonly reasons: readonly ExplainReason[];
  readonly header: MessageHeader;
  /** Whether the envelope's policies and limits, and the context, let the message pass. */
  readonly isAccepted: boolean;
  /** The first `maxEncryptedDataKeys` of the envelope, which the header may exceed. */
  readonly encryptedDataKeys: readonly ExplainedDataKey[];
}

/** @throws TypeError (`ERR_ARGUMENT`) */
export function checkExplainOptions(options: ExplainOptions): ReadonlyMap<string, ProviderAdmin["admin"]> {
  checkOptions("explain", options, [...DECRYPT_FIELDS, "admins"]);
  const { admins = [] } = options;
  if (!Array.isArray(admins)) throw argumentError("admins expected an array of { providerId, admin }");
  const byProvider = new Map<string, ProviderAdmin["admin"]>();
  for (const entry of admins as readonly ProviderAdmin[]) {
    if (typeof entry?.providerId !== "string" || typeof entry.admin?.describeKey !== "function") {
      throw argumentError("admins expected objects with a providerId, a string, and an admin, which has describeKey");
    }
    if (byProvider.has(entry.providerId)) throw argumentError("admins names a provider twice: once is enough");
    byProvider.set(entry.providerId, entry.admin);
  }
  return byProvider;
}
