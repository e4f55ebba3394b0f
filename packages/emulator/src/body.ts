// Reads the body of a request whole, within a bound. It must not know what is in it.
import type { IncomingMessage } from "node:http";

/** The body; or that it is longer than it may be, or that the client went away. */
export type Body = Buffer | "too-long" | "aborted";

const NOTHING = Buffer.alloc(0);

/**
 * Reads a body. What is too long is found from its announced length where there is one, before a byte of it is read; the rest of
 * it is left for the caller to drain.
 * @param maxBytes - the longest that is taken
 */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> | Body {
  const announced = request.headers["content-length"];
  if (announced === undefined && request.headers["transfer-encoding"] === undefined) return NOTHING;
  if (announced === "0") return NOTHING;
  if (announced !== undefined && Number(announced) > maxBytes) return "too-long";
  return new Promise((resolve) => {
    const gathered = new GrowingBuffer();
    const settle = (body: Body): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose);
      resolve(body);
    };
    const onData = (chunk: Buffer): void => {
      if (gathered.length + chunk.length <= maxBytes) {
        gathered.append(chunk);
        return;
      }
      request.pause();
      settle("too-long");
    };
    const onEnd = (): void => settle(gathered.bytes());
    const onClose = (): void => settle("aborted");
    request.on("data", onData).on("end", onEnd).on("close", onClose);
  });
}

/** Bytes that are added to: the first piece is kept as it is, since most bodies have no other; then room is doubled. */
class GrowingBuffer {
  length = 0;
  #buffer: Buffer = NOTHING;

  append(piece: Buffer): void {
    if (this.length === 0) {
      this.#buffer = piece;
      this.length = piece.length;
      return;
    }
    const length = this.length + piece.length;
    if (length > this.#buffer.length) {
      const room = Buffer.allocUnsafe(Math.max(length, 2 * this.#buffer.length));
      this.#buffer.copy(room, 0, 0, this.length);
      this.#buffer = room;
    }
    piece.copy(this.#buffer, this.length);
    this.length = length;
  }

  bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}
