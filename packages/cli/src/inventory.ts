// Counts messages by key and by suite, and answers whether a key may be retired. Must read no file.
import { algorithmSuites, formatSuiteId, type MessageHeader } from "@fengni/core";
import { type KeyName, keyNameOf } from "./key-name.js";

/** Examples that are named. */
const MOST_EXAMPLES = 5;
const UUID_AT_END = /(^|[^0-9a-f-])[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The messages that one version of a key wraps. */
export interface KeyRow extends KeyName {
  readonly messages: number;
  /** Bytes of these messages. */
  readonly bytes: number;
  /** Messages that no other key wraps. */
  readonly onlyKeyOf: number;
}

/** The messages of one suite. */
export interface SuiteRow {
  readonly id: string;
  readonly name: string;
  /** Whether `rewrap` can wrap them anew. */
  readonly rewrappable: boolean;
  readonly messages: number;
  readonly bytes: number;
}

/** Whether a key may be retired: no message was found that needs it; `cannot-tell`: the search was not complete. */
export interface RetireAnswer {
  readonly key: string;
  readonly answer: "yes" | "no" | "cannot-tell";
  readonly reason: string;
  /** Messages that no other key wraps. */
  readonly messages: number;
  readonly examples: readonly string[];
}

/** The key that is asked about. */
export interface RetireQuestion {
  /** As the command line has it. */
  readonly key: string;
  /** The full id that it has in its keystore, where one was asked. */
  readonly keyId: string | undefined;
  /** The provider whose keys have aliases that no message names. */
  readonly localProviderId: string;
}

type Mutable<Row> = { -readonly [Field in keyof Row]: Row[Field] };

/** What was found. */
export class Inventory {
  messages = 0;
  bytes = 0;
  readonly #question: RetireQuestion | undefined;
  readonly #keys = new Map<string, Mutable<KeyRow>>();
  readonly #suites = new Map<string, Mutable<SuiteRow>>();
  readonly #examples: string[] = [];
  #needing = 0;
  #isNamed = false;

  constructor(question: RetireQuestion | undefined) {
    this.#question = question;
  }

  /** Counts a message. */
  add(path: string, sizeBytes: number, header: MessageHeader): void {
    this.messages += 1;
    this.bytes += sizeBytes;
    const names = header.encryptedDataKeys.map(keyNameOf);
    const [first] = names;
    const isAlone = names.every((name) => first !== undefined && isSameKey(name, first));
    for (const [id, name] of new Map(names.map((each) => [rowId(each), each]))) {
      const row = this.#keys.get(id) ?? { ...name, messages: 0, bytes: 0, onlyKeyOf: 0 };
      row.messages += 1;
      row.bytes += sizeBytes;
      if (isAlone) row.onlyKeyOf += 1;
      this.#keys.set(id, row);
    }
    this.#addSuite(sizeBytes, header);
    const question = this.#question;
    if (question === undefined) return;
    const asked = names.filter((name) => isAsked(name, question));
    if (asked.length === 0) return;
    this.#isNamed = true;
    if (asked.length < names.length) return;
    this.#needing += 1;
    if (this.#examples.length < MOST_EXAMPLES) this.#examples.push(path);
  }

  #addSuite(sizeBytes: number, header: MessageHeader): void {
    const { id, name } = header.suite;
    const rewrappable = isRewrappable(header);
    const key = `${id} ${rewrappable}`;
    const row = this.#suites.get(key) ?? { id, name, rewrappable, messages: 0, bytes: 0 };
    row.messages += 1;
    row.bytes += sizeBytes;
    this.#suites.set(key, row);
  }

  /** Sorted by provider, key and version. */
  get keys(): readonly KeyRow[] {
    return [...this.#keys.values()].sort(
      (a, b) =>
        compare(a.providerId, b.providerId) ||
        compare(a.key, b.key) ||
        (a.version ?? "").length - (b.version ?? "").length ||
        compare(a.version ?? "", b.version ?? ""),
    );
  }

  /** Sorted by id. */
  get suites(): readonly SuiteRow[] {
    return [...this.#suites.values()].sort(
      (a, b) => compare(a.id, b.id) || Number(a.rewrappable) - Number(b.rewrappable),
    );
  }

  /**
   * The answer to the question; undefined where none was asked.
   * @param unclear - files of which it is not known whether they are messages, and of which key
   */
  mayRetire(unclear: number): RetireAnswer | undefined {
    const question = this.#question;
    if (question === undefined) return undefined;
    const found = { key: question.key, messages: this.#needing, examples: this.#examples };
    if (this.#needing > 0) {
      return { ...found, answer: "no", reason: "messages were found that no other key wraps: rewrap them first" };
    }
    const doubt = this.#doubt(question, unclear);
    if (doubt !== undefined) return { ...found, answer: "cannot-tell", reason: doubt };
    return {
      ...found,
      answer: "yes",
      reason: this.#isNamed ? "another key wraps every message that it wraps" : "no message found here names it",
    };
  }

  /** Why it is not certain that no message needs the key. */
  #doubt({ key, keyId, localProviderId }: RetireQuestion, unclear: number): string | undefined {
    if (unclear > 0) return "there are files that could not be read, and they may need it";
    if (this.messages === 0) return "no message was found at all: check the paths";
    if (this.#isNamed || keyId !== undefined || UUID_AT_END.test(key)) return undefined;
    // An alias is in no message, and who deletes a key by its alias would lose all that it wraps.
    const isFull = key.indexOf("/") > 0 && !key.startsWith(`${localProviderId}/`);
    return isFull
      ? undefined
      : "no message names it so, and messages never name an alias: give the key's full id, PROVIDER/KEY, or --keystore";
  }
}

/** Whether `rewrap` can wrap the message anew. */
export function isRewrappable({ suite, contentType }: MessageHeader): boolean {
  const row = algorithmSuites().find(({ id }) => formatSuiteId(id) === suite.id);
  return row?.rewrappedAs !== undefined && contentType === "framed";
}

function isSameKey(a: KeyName, b: KeyName): boolean {
  return a.providerId === b.providerId && a.key === b.key;
}

function isAsked(name: KeyName, { key, keyId }: RetireQuestion): boolean {
  // Whatever the provider is called: a program may have given it a name of its own.
  if (keyId !== undefined) return name.key === keyId;
  return name.key === key || `${name.providerId}/${name.key}` === key;
}

function rowId({ providerId, key, version }: KeyName): string {
  return JSON.stringify([providerId, key, version]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
