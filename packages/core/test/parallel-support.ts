// What the tests of parallel streams share: pipelines of chunks, and a pool whose threads surely run.
import { Readable, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setImmediate as turn } from "node:timers/promises";
import { FramePool } from "../src/parallel-pool.js";
import { joined } from "./support.js";

export const MIB: number = 1024 * 1024;

/** Cuts bytes into chunks of these lengths, over and over; no copies. */
function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let i = 0, at = 0; at < bytes.length; i++) {
    const end = at + (lengths[i % lengths.length] as number);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/** Sends bytes through a stream. */
export async function through(
  bytes: Uint8Array,
  stream: Transform,
  lengths: readonly number[] = [65536],
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  await pipeline(Readable.from(cut(bytes, lengths), { objectMode: false }), stream, async (output) => {
    for await (const piece of output) pieces.push(piece);
  });
  return joined(pieces);
}

/** Waits until a thread of the pool takes jobs. */
export async function running(pool: FramePool, workers: number = 1): Promise<FramePool> {
  for (;;) {
    pool.start(workers);
    const slot = pool.reserve(workers);
    if (slot !== undefined) {
      slot.release();
      return pool;
    }
    await turn();
  }
}

/** A pool whose threads run this program. */
export function poolOf(program: string, idleMs?: number): FramePool {
  return new FramePool(new URL(`data:text/javascript,${encodeURIComponent(program)}`), idleMs);
}
