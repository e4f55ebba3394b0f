// Moving bytes from an input through a transform to an output that appears only when all went well. Must not know what the
// transform does.
import type { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Input, inputFailure, STANDARD_STREAM } from "./input.js";
import type { CliIo } from "./io.js";
import { type OutputTarget, openOutput, writeFailure } from "./output.js";
import { Progress } from "./progress.js";

/** What to move and where to. */
export interface TransferRequest {
  readonly input: Input;
  readonly target: OutputTarget;
  /** Whether only the owner may read the output file. */
  readonly isSecret: boolean;
  /** No progress bar. */
  readonly isQuiet: boolean;
  readonly transform: Transform;
}

/** What was moved. */
export interface TransferResult {
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** Runs to the end, or leaves no output file behind. Memory does not grow with the length of the input. */
export async function transfer(request: TransferRequest, io: CliIo): Promise<TransferResult> {
  const { input, target, transform } = request;
  const output = await openOutput(target, request.isSecret, io);
  const progress = new Progress({
    stream: io.stderr,
    totalBytes: input.sizeBytes,
    nowMs: io.nowMs,
    // A bar would be drawn into the plaintext.
    isQuiet: request.isQuiet || (target.path === STANDARD_STREAM && io.stdout.isTTY === true),
  });
  let bytesIn = 0;
  let bytesOut = 0;
  try {
    // Listeners beside the pipeline's own, attached in the same turn: no stream in between, no chunk lost.
    input.stream.on("data", (chunk: Uint8Array) => {
      bytesIn += chunk.length;
      progress.add(chunk.length);
    });
    transform.on("data", (chunk: Uint8Array) => {
      bytesOut += chunk.length;
    });
    await pipeline(input.stream, transform, output.sink, { signal: io.signal });
    await output.commit();
    return { bytesIn, bytesOut };
  } catch (error) {
    throw writeFailure(target, inputFailure(input, error));
  } finally {
    progress.finish();
    await output.discard();
  }
}
