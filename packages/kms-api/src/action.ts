// The shape of one action of the catalogue: its columns, its fields and their limits. Types only; it must not know any action.
import type { ActionName } from "./actions.gen.js";
import type { ApiErrorCode } from "./error-codes.js";

/** What a field's value must be. Which of these apply follows from the field's type. */
export interface Limits {
  /** A regular expression that the whole text, or each text of a list, must match. */
  readonly pattern?: string;
  /** The only values allowed. */
  readonly oneOf?: readonly (string | number)[];
  /** Least value of an integer. */
  readonly min?: number;
  /** Greatest value of an integer. */
  readonly max?: number;
  /** Least length of a text, in UTF-16 units; 1 when left out, for an empty optional text counts as left out. */
  readonly minChars?: number;
  /** Greatest length of a text, in UTF-16 units. */
  readonly maxChars?: number;
  /** How bytes, or values, are written as text. */
  readonly encoding?: "base64" | "json-strings" | "pem-public-key";
  /** The exact number of bytes, counted after base64. */
  readonly bytes?: number;
  /** Least number of bytes, counted after base64, or as UTF-8 where there is no encoding. */
  readonly minBytes?: number;
  /** Greatest number of bytes, counted likewise. */
  readonly maxBytes?: number;
  /** Least number of items of a list; 0 when left out. */
  readonly minItems?: number;
  /** Greatest number of items of a list. */
  readonly maxItems?: number;
  /** Whether the texts of a list must differ, or the name of the member in which its objects must differ. */
  readonly unique?: boolean | string;
  /** The code for a value that is out of range; `InvalidParameterValue` when left out. */
  readonly code?: ApiErrorCode;
  /** The code for too few or too many items; `InvalidParameterValue` when left out. */
  readonly countCode?: ApiErrorCode;
  /** The code for a repeated item; `InvalidParameterValue` when left out. */
  readonly duplicateCode?: ApiErrorCode;
  /** What the service takes when the field is left out. */
  readonly default?: string | number;
  /** What else a caller should know. */
  readonly note?: string;
}

/** A field of a request or of a model. */
export interface Field {
  readonly name: string;
  /** `string`, `number` (an integer), `boolean`, the name of a model, or one of these with `[]`. */
  readonly type: string;
  readonly required: boolean;
  readonly limits?: Limits;
  /** The limits in words, for messages; the generator writes it. */
  readonly takes?: string;
}

/** A field of a response; any of them but `RequestId` may be left out. */
export interface ResponseField {
  readonly name: string;
  /** As {@link Field}. */
  readonly type: string;
}

/** That a field has a value. */
export interface FieldEquals {
  readonly field: string;
  readonly equals: string | number;
}

/** What a request needs beside its required fields. */
export type Rule = { readonly anyOf: readonly string[] } | { readonly when: FieldEquals; readonly needs: string };

/** One action of the KMS: a row of the catalogue. */
export interface Action {
  readonly name: ActionName;
  /** The group that the documentation lists it under, for example `key-lifecycle`. */
  readonly group: string;
  /** The kind of access in the service's authorization table. */
  readonly access: "read" | "write" | "list" | "other";
  /** Whether a policy can name keys for it (`resource`), or only all of them (`operation`). */
  readonly granularity: "resource" | "operation";
  /** The resource that it presents to the authorization: `*`, or a template with `$region`, `$uin`, `$keyId` and the like. */
  readonly resource: string;
  /** Whether a policy's condition on the caller's address applies to it. */
  readonly ipRestriction: boolean;
  /** Whether the official client has it. */
  readonly inSdk: boolean;
  /** `ours` where no parameters are public and this project gave it some. */
  readonly form: "published" | "ours";
  /** Whether the same request may be sent again when its answer was lost; `unless` a field has a value. */
  readonly safeToRepeat: boolean | { readonly unless: FieldEquals };
  readonly note?: string;
  readonly request: readonly Field[];
  readonly response: readonly ResponseField[];
  readonly rules?: readonly Rule[];
}
