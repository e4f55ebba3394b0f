// A key provider over a local KMS that is watched: it answers late, cannot be reached when told so, and remembers every call and
// every secret that it handed out. It must not know envelopes.
import { LocalKeyProvider, type LocalKms } from "@fengni/backend-local";
import {
  type CallOptions,
  type DecryptRequest,
  type DecryptResult,
  type EncryptionContext,
  type EncryptRequest,
  type EncryptResult,
  FengniError,
  type GenerateDataKeyRequest,
  type GeneratedDataKey,
  isFengniError,
} from "@fengni/core";
import type { Moment, Timeline } from "./envelope-model-history.js";

/** Says how many turns of the event loop a call waits, before the KMS is asked and before the answer is passed on. */
export type Latency = () => number;

/** Whether a key can be reached. */
export interface Reach {
  isDown: boolean;
}

/** One call, from its beginning. */
export interface ProviderCall {
  readonly operation: "generateDataKey" | "encrypt" | "decrypt";
  /** The context without what differs from message to message. */
  readonly context: string;
  readonly begun: Moment;
  /** Calls of the same operation and context that had no answer when it began. */
  readonly alongside: number;
  answered: Moment | undefined;
  /** Code of a failure. */
  code: string | undefined;
  /** The encrypted data key, in hexadecimal digits. */
  ciphertext: string | undefined;
  /** What was handed out. */
  secret: Uint8Array | undefined;
}

export class WatchedProvider extends LocalKeyProvider {
  readonly calls: ProviderCall[] = [];
  readonly #time: Timeline;
  readonly #reach: Reach;
  readonly #latency: Latency;

  constructor(kms: LocalKms, providerId: string, surroundings: { time: Timeline; reach: Reach; latency: Latency }) {
    super(kms, { providerId });
    this.#time = surroundings.time;
    this.#reach = surroundings.reach;
    this.#latency = surroundings.latency;
  }

  override generateDataKey(request: GenerateDataKeyRequest, options?: CallOptions): Promise<GeneratedDataKey> {
    return this.#watch("generateDataKey", request.encryptionContext, undefined, () =>
      super.generateDataKey(request, options),
    );
  }

  override encrypt(request: EncryptRequest, options?: CallOptions): Promise<EncryptResult> {
    return this.#watch("encrypt", request.encryptionContext, undefined, () => super.encrypt(request, options));
  }

  override decrypt(request: DecryptRequest, options?: CallOptions): Promise<DecryptResult> {
    return this.#watch("decrypt", request.encryptionContext, hex(request.ciphertext), () =>
      super.decrypt(request, options),
    );
  }

  /** When an encrypted data key was made or opened here, each time. */
  answers(operation: ProviderCall["operation"], ciphertext: Uint8Array): readonly Moment[] {
    const wanted = hex(ciphertext);
    return this.calls.flatMap((call) => {
      const isIt = call.operation === operation && call.code === undefined && call.ciphertext === wanted;
      return isIt && call.answered !== undefined ? [call.answered] : [];
    });
  }

  async #watch<Result extends { readonly plaintext?: Uint8Array; readonly ciphertext?: Uint8Array }>(
    operation: ProviderCall["operation"],
    encryptionContext: EncryptionContext = {},
    ciphertext: string | undefined,
    run: () => Promise<Result>,
  ): Promise<Result> {
    const context = withoutPublicKey(encryptionContext);
    const isAlongside = (other: ProviderCall): boolean =>
      other.answered === undefined && other.operation === operation && other.context === context;
    const call: ProviderCall = {
      operation,
      context,
      begun: this.#time.now(),
      alongside: this.calls.filter(isAlongside).length,
      answered: undefined,
      code: undefined,
      ciphertext,
      secret: undefined,
    };
    this.calls.push(call);
    try {
      await turns(this.#latency());
      if (this.#reach.isDown) throw new FengniError("ERR_UNAVAILABLE", "out of reach", { retryable: true });
      const result = await run();
      call.secret = result.plaintext;
      call.ciphertext ??= result.ciphertext && hex(result.ciphertext);
      await turns(this.#latency());
      return result;
    } catch (error) {
      call.code = isFengniError(error) ? error.code : String(error);
      throw error;
    } finally {
      call.answered = this.#time.now();
    }
  }
}

/** Lets so many turns of the event loop pass. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

/** A context in one form, without the verification key that every signed message, or data key, has of its own. */
function withoutPublicKey(context: EncryptionContext): string {
  const pairs = Object.entries(context).filter(([key]) => !key.endsWith("public-key"));
  return JSON.stringify(pairs.sort(([a], [b]) => (a < b ? -1 : 1)));
}
