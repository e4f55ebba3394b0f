// The local KMS: all groups of operations over one room. It must not know what any operation does, nor where records are kept.
import type { Authorizer, LocalCallOptions } from "./access.js";
import { type AsymmetricOperations, asymmetricOperations } from "./asymmetric.js";
import { type AttributeOperations, attributeOperations } from "./attributes.js";
import { takeOptions } from "./call-options.js";
import { argumentError, checkFields } from "./checks.js";
import { type Clock, systemClock } from "./clock.js";
import { type CloudResourceOperations, cloudResourceOperations } from "./cloud-resources.js";
import { type DataKeyLifecycleOperations, dataKeyLifecycleOperations } from "./data-key-lifecycle.js";
import { type DataKeyOperations, dataKeyOperations } from "./data-keys.js";
import { type ImportOperations, importOperations } from "./import.js";
import { type LifecycleOperations, lifecycleOperations } from "./lifecycle.js";
import { type ListOperations, listOperations } from "./lists.js";
import type { KmsOperation } from "./operations.js";
import { type PostQuantumOperations, postQuantumOperations } from "./post-quantum.js";
import { type LocalRegion, Regions } from "./regions.js";
import { Room } from "./room.js";
import { type RotationOperations, rotationOperations } from "./rotation.js";
import { type ServiceOperations, serviceOperations } from "./service.js";
import type { RecordStore } from "./store.js";
import { MemoryRecordStore } from "./store-memory.js";
import { type SymmetricOperations, symmetricOperations } from "./symmetric.js";
import { type SyncOperations, syncOperations } from "./sync.js";
import { type WhiteBoxOperations, whiteBoxOperations } from "./white-box.js";

/** How a local KMS is made. */
export interface LocalKmsOptions {
  /** Default: the system's clock. */
  readonly clock?: Clock;
  /** Where records are kept; the KMS owns it and closes it. Default: in memory. */
  readonly store?: RecordStore;
  /** The first is the default of every call. Default: one, `local`, with AES. */
  readonly regions?: readonly LocalRegion[];
  /** Asked before every operation; default: everything is granted. */
  readonly authorizer?: Authorizer;
}

/** Every operation of the local KMS. */
export interface KmsOperations
  extends LifecycleOperations,
    ListOperations,
    RotationOperations,
    AttributeOperations,
    SymmetricOperations,
    DataKeyOperations,
    DataKeyLifecycleOperations,
    AsymmetricOperations,
    PostQuantumOperations,
    ImportOperations,
    WhiteBoxOperations,
    CloudResourceOperations,
    SyncOperations,
    ServiceOperations {}

/**
 * A key management service in this process. Keys, data keys and white-box keys are named by id, or by alias or name. Its operations
 * are properties of its own: they may be taken off the object. All of them reject with the signal's reason when it is aborted before
 * the call, with `ERR_CLOSED` after `close()`, with `ERR_DENIED` when the authorizer refuses, with `ERR_NOT_SUPPORTED` (reason
 * `no-such-region`) for another region than the KMS has, with `ERR_KEY_NOT_FOUND`, `ERR_KEY_USAGE` or `ERR_KEY_STATE` for a key that
 * is not there, never does this or may not do it now, with `ERR_LIMIT` for more than a limit allows, and with TypeError or RangeError
 * `ERR_ARGUMENT` for arguments that are wrong in themselves.
 *
 * @example
 * const kms = new LocalKms();
 * const { keyId } = await kms.createKey({ alias: "orders" });
 * const { ciphertext } = await kms.encrypt({ keyId: "orders", plaintext, encryptionContext: { tenant: "7" } });
 * const opened = await kms.decrypt({ ciphertext, keyId, encryptionContext: { tenant: "7" } });
 * await kms.close();
 */
export interface LocalKms extends KmsOperations {
  /** Names of its regions, the default first. */
  readonly regions: readonly string[];
  /** The full id of the key that an id or an alias names, in whatever state it is. Access is asked for as by `describeKey`. */
  resolveKeyId(keyId: string, options?: LocalCallOptions): Promise<string>;
  /**
   * Lets all that is due happen: rotations, expiries, deletions; in portions, so that others have their turn in between. Operations
   * do what is due of the keys that they use, so that none sees a key that should be gone, and lists do all; this is for whoever
   * wants it done, and material wiped, without one.
   */
  runScheduledWork(options?: LocalCallOptions): Promise<void>;
  /** Wipes key material and lets go of the store. Idempotent; later calls of every operation reject with `ERR_CLOSED`. */
  close(): Promise<void>;
}

/** How a {@link LocalKms} is made. */
export interface LocalKmsConstructor {
  /** @throws TypeError or RangeError `ERR_ARGUMENT` for an unknown option, or regions that cannot be */
  new (options?: LocalKmsOptions): LocalKms;
}

class AssembledKms {
  constructor(options: LocalKmsOptions = {}) {
    checkFields("LocalKms", options, ["clock", "store", "regions", "authorizer"]);
    const { clock = systemClock, authorizer, store = new MemoryRecordStore() } = options;
    if (typeof clock?.now !== "function") throw argumentError("clock expected an object with the method now");
    if (typeof store?.change !== "function") throw argumentError("store expected a RecordStore");
    if (authorizer !== undefined && typeof authorizer !== "function") {
      throw argumentError("authorizer expected a function");
    }
    const regions = new Regions(options.regions);
    const room = new Room(store, clock, regions, authorizer);
    const assembled: LocalKms = { ...entered(operationsOf(room)), ...ownMethodsOf(room), regions: regions.names };
    Object.assign(this, assembled);
  }
}

/** Makes a local KMS; see {@link LocalKmsOptions}. */
// The properties are assigned, so that the class has no members by itself: what it assigns was checked to be a LocalKms.
export const LocalKms: LocalKmsConstructor = AssembledKms as LocalKmsConstructor;

/** Does not compile when an operation of the catalogue is missing. */
function operationsOf(room: Room): KmsOperations {
  return {
    ...lifecycleOperations(room),
    ...listOperations(room),
    ...rotationOperations(room),
    ...attributeOperations(room),
    ...symmetricOperations(room),
    ...dataKeyOperations(room),
    ...dataKeyLifecycleOperations(room),
    ...asymmetricOperations(room),
    ...postQuantumOperations(room),
    ...importOperations(room),
    ...whiteBoxOperations(room),
    ...cloudResourceOperations(room),
    ...syncOperations(room),
    ...serviceOperations(room),
  } satisfies Record<KmsOperation, (...request: never[]) => Promise<unknown>>;
}

type Operation = (request: never, options?: LocalCallOptions) => Promise<unknown>;

/** The same operations, each of which has its options checked and read once before anything else: no group can forget it. */
function entered<Operations extends Readonly<Record<keyof Operations, Operation>>>(operations: Operations): Operations {
  const all = Object.entries<Operation>(operations).map(([name, run]): [string, Operation] => [name, enter(run)]);
  // Names and types are those that came in.
  return Object.fromEntries(all) as Operations;
}

function enter(run: Operation): Operation {
  return (request, options) => {
    // Most calls have none: they cost no promise and no copy more.
    if (options === undefined) return run(request);
    try {
      return run(request, takeOptions(options));
    } catch (error) {
      return Promise.reject(error);
    }
  };
}

function ownMethodsOf(room: Room): Pick<LocalKms, "resolveKeyId" | "runScheduledWork" | "close"> {
  return {
    async resolveKeyId(keyId, options) {
      const taken = options === undefined ? undefined : takeOptions(options);
      return (await room.key("describeKey", keyId, taken)).id;
    },

    async runScheduledWork(options) {
      await room.settledView(options === undefined ? undefined : takeOptions(options));
    },

    async close() {
      room.close();
    },
  };
}
