// What a check works with, and what checks and areas are. It must not know how checks are run, nor any area.
import type {
  AdminOperation,
  AsymmetricEncryptionAlgorithm,
  CreateKeyRequest,
  KeyAdmin,
  KeyDescription,
  KeyProvider,
  ProviderOperation,
  SignatureAlgorithm,
} from "@fengni/core";
import { answerFault } from "./answer-shape.js";
import { Assertions, ConformanceFailure } from "./assert.js";
import { guarded, Timers } from "./guard.js";
import { Strays } from "./strays.js";
import type { ConformanceKeys, ConformanceSubject, KeyPair } from "./subject.js";

/** What a provider must claim, and its factory give, for a check to apply. */
export interface Requirements {
  readonly operations?: readonly ProviderOperation[];
  readonly admin?: readonly AdminOperation[];
  readonly signature?: SignatureAlgorithm;
  readonly encryption?: AsymmetricEncryptionAlgorithm;
  readonly parts?: readonly ("clock" | "faults" | "sibling")[];
}

/** One rule of the contract. */
export interface Check {
  readonly name: string;
  readonly needs: Requirements;
  run(kit: Kit): Promise<void>;
}

/** Checks that belong together. */
export interface Area {
  readonly name: string;
  readonly checks: readonly Check[];
}

/** The settings of a run, all of them given. */
export interface KitSettings {
  readonly uniqueDataKeys: number;
  readonly callTimeoutMs: number;
}

/** Why a check does not apply to a subject; undefined when it does. */
export function whyNotClaimed(needs: Requirements, subject: ConformanceSubject): string | undefined {
  const { capabilities } = subject.provider;
  const operation = needs.operations?.find((name) => !capabilities.operations.includes(name));
  if (operation !== undefined) return `the provider does not claim ${operation}`;
  const { signature, encryption } = needs;
  if (signature !== undefined && !capabilities.signatureAlgorithms.includes(signature)) {
    return `the provider does not claim ${signature}`;
  }
  if (encryption !== undefined && !capabilities.asymmetricEncryptionAlgorithms.includes(encryption)) {
    return `the provider does not claim ${encryption}`;
  }
  const { admin } = subject;
  if (needs.admin !== undefined && admin === undefined) return "the factory gives no admin";
  const missing = needs.admin?.find((name) => !admin?.operations.includes(name));
  if (missing !== undefined) return `the admin does not claim ${missing}`;
  const part = needs.parts?.find((name) => subject[name] === undefined);
  return part === undefined ? undefined : `the factory gives no ${part}`;
}

/** A subject under test, with its guards, its keys and the assertions. */
export class Kit {
  readonly check: Assertions = new Assertions();
  readonly timers: Timers = new Timers();
  readonly strays: Strays = new Strays();
  readonly subject: ConformanceSubject;
  readonly settings: KitSettings;
  readonly provider: KeyProvider;
  readonly #admin: KeyAdmin | undefined;
  readonly #created: string[] = [];
  readonly #siblings: KeyProvider[] = [];
  /** What kept the process alive before there was a subject; undefined where the runtime does not tell. */
  readonly handlesBefore: readonly string[] | undefined;
  #isDisposed = false;

  constructor(subject: ConformanceSubject, settings: KitSettings, handlesBefore?: readonly string[]) {
    this.subject = subject;
    this.settings = settings;
    this.handlesBefore = handlesBefore;
    this.provider = this.guard(subject.provider, "provider", answerFault);
    this.#admin = subject.admin === undefined ? undefined : this.guard(subject.admin, "admin");
  }

  /** The admin. Only checks that require one call this. */
  get admin(): KeyAdmin {
    if (this.#admin !== undefined) return this.#admin;
    throw new ConformanceFailure("the factory gives no admin");
  }

  get symmetric(): KeyPair {
    return this.#pair(this.subject.keys.symmetric, "symmetric", "encrypt and decrypt");
  }

  get postQuantum(): KeyPair {
    return this.#pair(this.subject.keys.postQuantumEncryption, "postQuantumEncryption", "encrypt post-quantum");
  }

  signing(algorithm: SignatureAlgorithm): KeyPair {
    return this.#pair(this.subject.keys.sign?.[algorithm], `sign.${algorithm}`, `sign with ${algorithm}`);
  }

  decrypting(algorithm: AsymmetricEncryptionAlgorithm): KeyPair {
    const pair = this.subject.keys.asymmetricDecrypt?.[algorithm];
    return this.#pair(pair, `asymmetricDecrypt.${algorithm}`, `decrypt ${algorithm}`);
  }

  claims(operation: ProviderOperation): boolean {
    return this.subject.provider.capabilities.operations.includes(operation);
  }

  administers(operation: AdminOperation): boolean {
    return this.subject.admin?.operations.includes(operation) === true;
  }

  guard<Target extends object>(target: Target, name: string, shapeFault?: typeof answerFault): Target {
    return guarded(target, name, this.settings.callTimeoutMs, this.timers, this.strays, shapeFault);
  }

  /** A key of the kit's own, which is scheduled for deletion at the end. */
  async createKey(request?: CreateKeyRequest): Promise<KeyDescription> {
    const key = await this.check.resolves(this.admin.createKey(request), "createKey");
    this.#created.push(key.keyId);
    return key;
  }

  async sibling(): Promise<KeyProvider> {
    const sibling = await this.subject.sibling?.();
    if (sibling === undefined) throw new ConformanceFailure("the factory gives no sibling");
    this.#siblings.push(sibling);
    return this.guard(sibling, "sibling", answerFault);
  }

  /** Schedules the deletion of the keys that the kit made, as far as their states allow, and closes the siblings. */
  async cleanUp(): Promise<void> {
    const { admin } = this.subject;
    for (const keyId of this.#created.splice(0)) {
      if (this.administers("cancelKeyArchive")) await this.#quietly(() => admin?.cancelKeyArchive(keyId));
      if (this.administers("disableKey")) await this.#quietly(() => admin?.disableKey(keyId));
      if (this.administers("scheduleKeyDeletion")) await this.#quietly(() => admin?.scheduleKeyDeletion(keyId, 7));
    }
    for (const sibling of this.#siblings.splice(0)) await this.#quietly(() => sibling.close());
  }

  /** Closes the provider and the admin, if the checks have not; whether closing works is theirs to judge. */
  async close(): Promise<void> {
    await this.#quietly(() => this.subject.provider.close());
    await this.#quietly(() => this.subject.admin?.close());
  }

  /** Has the factory let go of what is its own, once. */
  async disposeSubject(): Promise<void> {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    await this.subject.cleanup?.();
  }

  /** Waits for a step that may fail: the key may be gone, or in another state already. */
  async #quietly(step: () => Promise<unknown> | undefined): Promise<void> {
    const call = (async () => step())();
    await this.timers.within(this.settings.callTimeoutMs, call, "cleaning up").catch(() => {});
  }

  #pair(pair: KeyPair | undefined, field: string, use: string): KeyPair {
    this.check.isTrue(
      pair !== undefined && pair.length === 2,
      `the provider claims to ${use}, but the factory gives no keys for it: give two keys in keys.${field}`,
    );
    return pair as KeyPair;
  }
}

/** Every key that the factory gave, of whatever use, with the use. */
export function givenKeys(keys: ConformanceKeys): readonly { readonly use: string; readonly pair: KeyPair }[] {
  const pairs: { use: string; pair: KeyPair }[] = [];
  const add = (use: string, pair: KeyPair | undefined): void => {
    if (pair !== undefined) pairs.push({ use, pair });
  };
  add("symmetric", keys.symmetric);
  for (const [algorithm, pair] of Object.entries(keys.sign ?? {})) add(`sign.${algorithm}`, pair);
  for (const [algorithm, pair] of Object.entries(keys.asymmetricDecrypt ?? {}))
    add(`asymmetricDecrypt.${algorithm}`, pair);
  add("postQuantumEncryption", keys.postQuantumEncryption);
  return pairs;
}
