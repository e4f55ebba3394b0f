// The seam between the gateway and the handlers: what a handler is given, and what it answers. Types only; it must not know HTTP.
import type { LocalCallOptions, LocalKms } from "@fengni/backend-local";
import type { ActionName, RequestOf, ResultOf } from "@fengni/kms-api";
import type { RequestCaller } from "./authorize.js";

/** One authenticated and validated request on its way to its handler. */
export interface Call {
  readonly action: ActionName;
  readonly region: string;
  /** Whether the region is one of the SM algorithms. */
  readonly isSmRegion: boolean;
  /** UUID. */
  readonly requestId: string;
  /** Region and caller, for the local KMS. */
  readonly options: LocalCallOptions & { readonly region: string; readonly caller: RequestCaller };
}

/** What a handler answers: the gateway adds the request id. */
export type Answer<Name extends ActionName> = ResultOf<Name>;

/** Carries out one action over the local KMS: translation only. */
export type Handler<Name extends ActionName> = (
  kms: LocalKms,
  request: RequestOf<Name>,
  call: Call,
) => Promise<Answer<Name>>;

/** The handlers of a group of actions. */
export type Handlers<Names extends ActionName> = { readonly [Name in Names]: Handler<Name> };
