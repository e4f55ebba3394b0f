// Documents with sealed fields: seals the values at given paths of a JSON document and opens them again. It must not know how a
// single field is sealed.
import { checkCallerContext } from "./context.js";
import { argumentError, FengniError, shown } from "./errors.js";
import type { FieldCipher } from "./field-cipher.js";
import { copyDocument } from "./field-document-copy.js";
import { isSealedField } from "./field-format.js";
import { setOwn } from "./field-json.js";
import type { FieldValue } from "./field-value.js";
import { formatPath, type PathStep, type PathTarget, parsePath, pathsOverlap, pathTargets } from "./json-path.js";
import { checkInteger, checkOptions } from "./options.js";
import { type CallOptions, callOptions, type EncryptionContext } from "./provider.js";

/** Default of how many objects, arrays and values a document may have. */
export const DEFAULT_MAX_DOCUMENT_NODES = 100_000;
const LARGEST_MAX_NODES = 10_000_000;
const MAX_PATHS = 1000;

/** How a {@link DocumentCipher} is made. */
export interface DocumentCipherOptions {
  /** Seals the single fields. */
  readonly fields: FieldCipher;
  /**
   * Where the fields are: `email`, `address.street`, `items[0].card`, `items[*].card`, `secrets.*`; a backslash before `.`, `[`, `]`,
   * `*` and itself where they are part of a key. No two may lead to, or through, the same place.
   */
  readonly paths: readonly string[];
  /**
   * What a place that a path cannot reach is: an `error` (default), so that a misspelt key leaves nothing unsealed; or to be
   * `ignore`d, for optional fields. An empty array misses nothing.
   */
  readonly missing?: "error" | "ignore";
  /**
   * Whether a field in an array is bound to its index (default true): then no two elements can be swapped, and an array that was
   * reordered or shortened at the front does not open. With false, values may be moved unnoticed between elements of one array.
   */
  readonly bindIndex?: boolean;
  /** Fills every value up to a multiple of so many bytes, as in `FieldCipher.sealField`. */
  readonly padTo?: number;
  /** How many objects, arrays and values a document may have; default 100,000. */
  readonly maxNodes?: number;
}

/** What the fields of a document are bound to. */
export interface SealFieldsSyncOptions {
  /** Which document this is, as in `FieldCipher.sealField`: best with the document's own id, so that no field fits another's. */
  readonly encryptionContext: EncryptionContext;
  /** What text at a path that already is a sealed field is: to `refuse` (default), or to `seal` once more, like other text. */
  readonly alreadySealed?: "refuse" | "seal";
}

/** As {@link SealFieldsSyncOptions}, with a signal that ends the call. */
export interface SealFieldsOptions extends SealFieldsSyncOptions, CallOptions {}

/** Which fields of a document to open. */
export interface OpenFieldsSyncOptions {
  readonly encryptionContext: EncryptionContext;
  /** Some of the paths that the cipher was made with; the other fields stay sealed. Absent: all. */
  readonly paths?: readonly string[];
}

/** As {@link OpenFieldsSyncOptions}, with a signal that ends the call. */
export interface OpenFieldsOptions extends OpenFieldsSyncOptions, CallOptions {}

const SEAL_FIELDS: readonly string[] = ["encryptionContext", "alreadySealed"];
const OPEN_FIELDS: readonly string[] = ["encryptionContext", "paths"];
const OPTIONS: readonly string[] = ["fields", "paths", "missing", "bindIndex", "padTo", "maxNodes"];

/** A copy of a document and of its context, and the fields to replace in it. */
interface Work {
  readonly encryptionContext: EncryptionContext;
  readonly copy: object;
  readonly targets: readonly PathTarget[];
}

/**
 * Seals fields of JSON documents in place: the values at its paths become text, everything else stays as it is. Which fields are
 * sealed is told by the paths alone, never by looking at the data. Safe for any number of concurrent calls.
 *
 * @example
 * ```ts
 * const cipher = new DocumentCipher({ fields, paths: ["email", "cards[*].number"] });
 * const context = { encryptionContext: { tenant: "acme", user: "17" } };
 * const sealed = await cipher.sealFields({ name: "Li Lei", email: "li.lei@example.cn", cards: [] }, context);
 * const opened = await cipher.openFields(sealed, context);
 * ```
 */
export class DocumentCipher {
  readonly #fields: FieldCipher;
  readonly #paths: ReadonlyMap<string, readonly PathStep[]>;
  readonly #missing: "error" | "ignore";
  readonly #bindIndex: boolean;
  readonly #padding: { readonly padTo?: number };
  readonly #maxNodes: number;

  /** @throws TypeError, RangeError `ERR_ARGUMENT`, also for paths that overlap */
  constructor(options: DocumentCipherOptions) {
    checkOptions("DocumentCipher", options, OPTIONS);
    const { fields, missing = "error", bindIndex = true, padTo, maxNodes = DEFAULT_MAX_DOCUMENT_NODES } = options;
    if (typeof fields?.sealField !== "function") throw argumentError("fields expected a FieldCipher");
    if (missing !== "error" && missing !== "ignore") throw argumentError("missing expected error or ignore");
    if (typeof bindIndex !== "boolean") throw argumentError("bindIndex expected true or false");
    if (padTo !== undefined) checkInteger("padTo", padTo, 1, 2 ** 16);
    this.#fields = fields;
    this.#paths = parsePaths(options.paths);
    this.#missing = missing;
    this.#bindIndex = bindIndex;
    this.#padding = padTo === undefined ? {} : { padTo };
    this.#maxNodes = checkInteger("maxNodes", maxNodes, 1, LARGEST_MAX_NODES);
  }

  /**
   * Seals the values at all paths.
   * @param document - plain objects and arrays; left as it is, and read before the call returns
   * @returns a copy, with text in the place of the values
   * @throws TypeError, RangeError `ERR_ARGUMENT`, also for a path that leads nowhere and a field that is sealed already; FengniError
   *   `ERR_LIMIT`; and as `FieldCipher.sealField`
   */
  async sealFields(document: object, options: SealFieldsOptions): Promise<object> {
    checkOptions("sealFields", options, [...SEAL_FIELDS, "signal"]);
    const { copy, targets, encryptionContext } = this.#toSeal(document, options);
    for (const target of targets) {
      const order = { name: this.#nameOf(target), encryptionContext, encoding: "text", ...this.#padding } as const;
      put(
        target,
        await this.#fields.sealField(target.value as FieldValue, { ...order, ...callOptions(options.signal) }),
      );
    }
    return copy;
  }

  /** As {@link sealFields}, at once. @throws as `sealFields`; `ERR_NOT_WARM`, `ERR_NOT_SUPPORTED` as `FieldCipher.sealFieldSync` */
  sealFieldsSync(document: object, options: SealFieldsSyncOptions): object {
    checkOptions("sealFieldsSync", options, SEAL_FIELDS);
    const { copy, targets, encryptionContext } = this.#toSeal(document, options);
    for (const target of targets) {
      const order = { name: this.#nameOf(target), encryptionContext, encoding: "text", ...this.#padding } as const;
      put(target, this.#fields.sealFieldSync(target.value as FieldValue, order));
    }
    return copy;
  }

  /**
   * Opens the values at all paths, or at some. Nothing is returned before all of them are authenticated; what is not at these paths
   * is not authenticated at all.
   * @returns a copy, with the values as they were sealed
   * @throws TypeError `ERR_ARGUMENT`; `ERR_MESSAGE_INVALID` also for a path that leads nowhere, and for a value that is not sealed;
   *   `ERR_LIMIT`; and as `FieldCipher.openField`
   */
  async openFields(document: object, options: OpenFieldsOptions): Promise<object> {
    checkOptions("openFields", options, [...OPEN_FIELDS, "signal"]);
    const { copy, targets, encryptionContext } = this.#toOpen(document, options);
    for (const target of targets) {
      const place = { name: this.#nameOf(target), encryptionContext, ...callOptions(options.signal) };
      put(target, await this.#fields.openField(target.value as string, place));
    }
    return copy;
  }

  /** As {@link openFields}, at once. @throws as `openFields`; `ERR_NOT_WARM`, `ERR_NOT_SUPPORTED` as `FieldCipher.openFieldSync` */
  openFieldsSync(document: object, options: OpenFieldsSyncOptions): object {
    checkOptions("openFieldsSync", options, OPEN_FIELDS);
    const { copy, targets, encryptionContext } = this.#toOpen(document, options);
    for (const target of targets) {
      put(
        target,
        this.#fields.openFieldSync(target.value as string, { name: this.#nameOf(target), encryptionContext }),
      );
    }
    return copy;
  }

  #toSeal(document: object, { encryptionContext, alreadySealed = "refuse" }: SealFieldsSyncOptions): Work {
    if (alreadySealed !== "refuse" && alreadySealed !== "seal")
      throw argumentError("alreadySealed expected refuse or seal");
    const work = this.#work(document, encryptionContext, this.#paths.values(), (path) => {
      throw argumentError(`the document has nothing at path ${shown(path)}: correct it, or set missing to ignore`);
    });
    for (const { value, steps } of work.targets) {
      if (alreadySealed === "refuse" && typeof value === "string" && isSealedField(value)) {
        throw argumentError(`the field at ${shown(formatPath(steps))} is sealed already: seal a document once`);
      }
    }
    return work;
  }

  #toOpen(document: object, { encryptionContext, paths }: OpenFieldsSyncOptions): Work {
    const chosen = paths === undefined ? this.#paths.values() : this.#chosen(paths);
    const work = this.#work(document, encryptionContext, chosen, (path) => {
      throw new FengniError(
        "ERR_MESSAGE_INVALID",
        `the document has nothing at path ${shown(path)}, where a sealed field was due`,
      );
    });
    for (const { value, steps } of work.targets) {
      // Never given back as it is: whoever can write the document could put a value of his own there.
      if (typeof value !== "string" || !isSealedField(value)) {
        throw new FengniError(
          "ERR_MESSAGE_INVALID",
          `the document holds no sealed field at ${shown(formatPath(steps))}`,
        );
      }
    }
    return work;
  }

  #work(
    document: object,
    encryptionContext: EncryptionContext,
    paths: Iterable<readonly PathStep[]>,
    refuse: (path: string) => never,
  ): Work {
    const copy = copyDocument(document, this.#maxNodes);
    const missed = (steps: readonly PathStep[]): void => {
      if (this.#missing === "error") refuse(formatPath(steps));
    };
    const targets = [...paths].flatMap((path) => pathTargets(copy, path, missed));
    return { encryptionContext: checkCallerContext(encryptionContext), copy, targets };
  }

  #chosen(paths: readonly string[]): readonly (readonly PathStep[])[] {
    if (!Array.isArray(paths)) throw argumentError("paths expected a list of paths");
    return [...new Set(paths)].map((path) => {
      const steps = this.#paths.get(path);
      if (steps === undefined) throw argumentError(`${shown(String(path))} is none of the paths that are sealed`);
      return steps;
    });
  }

  #nameOf({ steps }: PathTarget): string {
    if (this.#bindIndex) return formatPath(steps);
    return formatPath(steps.map((step) => (step.kind === "index" ? { kind: "every-index" } : step)));
  }
}

function parsePaths(paths: readonly string[]): ReadonlyMap<string, readonly PathStep[]> {
  if (!Array.isArray(paths) || paths.length === 0) throw argumentError("paths expected a list of paths, not empty");
  if (paths.length > MAX_PATHS) throw argumentError(`paths expected at most ${MAX_PATHS} paths`);
  const parsed = new Map<string, readonly PathStep[]>();
  for (const path of paths) {
    const steps = parsePath(path);
    for (const [other, otherSteps] of parsed) {
      if (pathsOverlap(steps, otherSteps)) throw argumentError(`paths ${shown(other)} and ${shown(path)} overlap`);
    }
    parsed.set(path, steps);
  }
  return parsed;
}

function put({ holder, key }: PathTarget, value: unknown): void {
  setOwn(holder, key, value);
}
