// The seam between the server and its own pages (health, administration, console): what a page is given, and what it answers. It
// must not know what any page is for.

/** Where all of the emulator's own pages are. The service has no such path. */
export const LOCAL_PREFIX = "/_fengni/";

/** A request to a page, its body read whole. */
export interface LocalRequest {
  readonly method: string;
  /** The bytes after `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Uint8Array;
}

/** Writes to an answer that goes on. */
export interface LocalStream {
  /** Writes, unless the client is gone. A client that does not read is cut off. */
  write(text: string): void;
  /** Is called once, when the client or the server ends it. */
  onClose(listener: () => void): void;
}

/** What a page answers. */
export interface LocalAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Goes on writing after the body. */
  readonly stream?: (stream: LocalStream) => void;
}

/** A page. */
export interface LocalRoute {
  readonly methods: readonly string[];
  readonly answer: (request: LocalRequest) => LocalAnswer | Promise<LocalAnswer>;
}

/** Pages by their whole path. */
export type LocalRoutes = ReadonlyMap<string, LocalRoute>;

/** An answer of JSON, which nobody may keep. */
export function jsonAnswer(status: number, value: unknown): LocalAnswer {
  return {
    status,
    contentType: "application/json",
    body: JSON.stringify(value),
    headers: { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" },
  };
}

/** A header's one value. */
export function headerOf({ headers }: LocalRequest, name: string): string | undefined {
  const value = headers[name];
  return typeof value === "string" ? value : undefined;
}
