// A method for each action of the catalogue, with its types. It must not know how a call is made.
import { ACTIONS, type ActionName, type RequestOf, type ResponseOf } from "@fengni/kms-api";

/** What goes with one call. */
export interface KmsCallOptions {
  /** Ends the call at once, whatever it is doing: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** For the call with all its attempts and waits, in milliseconds; default: the client's. */
  readonly timeoutMs?: number;
  /** Default: the client's. */
  readonly region?: string;
}

/** The method of an action: `params` may be left out where no field is required. */
export type ActionMethod<Name extends ActionName> =
  Record<never, never> extends RequestOf<Name>
    ? (params?: RequestOf<Name>, options?: KmsCallOptions) => Promise<ResponseOf<Name>>
    : (params: RequestOf<Name>, options?: KmsCallOptions) => Promise<ResponseOf<Name>>;

/** A method for each action: its name with a small first letter, for example `generateDataKey`. */
export type ActionMethods = { readonly [Name in ActionName as Uncapitalize<Name>]: ActionMethod<Name> };

/** Gives its instances a method for each action. */
abstract class WithActionMethods {
  constructor() {
    for (const { name } of ACTIONS) {
      const method = name.charAt(0).toLowerCase() + name.slice(1);
      // Not enumerable: printing a client should not print eighty methods.
      Object.defineProperty(this, method, {
        value: (params: RequestOf<typeof name> | undefined, options?: KmsCallOptions) =>
          this.request(name, params, options),
      });
    }
  }

  /** Calls any action; see the client. */
  abstract request<Name extends ActionName>(
    action: Name,
    params?: RequestOf<Name>,
    options?: KmsCallOptions,
  ): Promise<ResponseOf<Name>>;
}

/** What a client extends. The compiler cannot see the methods that the constructor makes, so it is told. */
export const ActionMethodsBase: abstract new () => WithActionMethods & ActionMethods =
  WithActionMethods as abstract new () => WithActionMethods & ActionMethods;
