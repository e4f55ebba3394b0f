// Who may do what: the question that a local KMS asks its authorizer before an operation. Types only; it must not know keys'
// material, stores or any policy language.
import type { CallOptions } from "@fengni/core";
import type { KmsOperation } from "./operations.js";
import type { Tags } from "./records.js";

/** Who calls. An authorizer may hand in objects that carry more. */
export interface Caller {
  /** Stable; written into the keys that the caller makes. */
  readonly id: string;
}

/** The caller when a call does not name one. */
export const DEFAULT_CALLER: Caller = /* @__PURE__ */ Object.freeze({ id: "local" });

/** What every operation of the local KMS takes beside its request: a plain object, read once when the operation is entered. */
export interface LocalCallOptions extends CallOptions {
  /** One of the KMS's regions; default: the first. */
  readonly region?: string;
  /** With an id that is not empty; default {@link DEFAULT_CALLER}. An authorizer gets a frozen copy, of the same prototype. */
  readonly caller?: Caller;
}

/** The request of an operation that asks for nothing in particular. */
export type EmptyRequest = Readonly<Record<string, never>>;

/** What an operation wants to reach. */
export interface AccessResource {
  readonly kind: "key" | "data-key" | "white-box-key";
  readonly region: string;
  /** The full id, or the reference as it was given when there is no such thing; `*` for one that is to be made. */
  readonly id: string;
  /** Who made it; the caller for what is not there or is to be made. */
  readonly creator: string;
  readonly tags: Tags;
  /** Whether it is there. What an unknown reference answers must not depend on it before access is granted. */
  readonly exists: boolean;
}

/** One question to an authorizer. An operation on several resources asks once for each; all must be granted. */
export interface AccessRequest {
  readonly caller: Caller;
  readonly operation: KmsOperation;
  readonly region: string;
  /** Absent for operations that reach no single resource, such as lists. */
  readonly resource?: AccessResource;
  /** The tags of what is to be made. */
  readonly requestTags?: Tags;
}

/** Grants an operation, or refuses it (`ERR_DENIED`); an error of its own reaches the caller as it is. */
export type Authorizer = (request: AccessRequest) => boolean | Promise<boolean>;
