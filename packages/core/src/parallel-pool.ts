// The threads that parallel streams share: started when a stream is long enough, stopped when idle, replaced when they die.
// Must know nothing of messages, nor of the order of frames.
import type { KeyObject } from "node:crypto";
import { Worker } from "node:worker_threads";
import { FengniError } from "./errors.js";

/** Frames that a thread seals or opens in their buffer. All places are in bytes from the start of the buffer or frame. */
export interface FrameJob {
  readonly id: number;
  readonly kind: "seal" | "open";
  readonly key: KeyObject;
  /** Transferred, and transferred back with the reply. */
  readonly buffer: ArrayBuffer;
  readonly frames: number;
  /** Bytes of plaintext in a frame. */
  readonly frameLength: number;
  /** Bytes from one frame to the next. */
  readonly stride: number;
  /** Where in a frame its IV begins, of 12 bytes. */
  readonly ivAt: number;
  /** Where in a frame its plaintext or ciphertext begins; the tag, of 16 bytes, is behind it. */
  readonly textAt: number;
  /** Where in the buffer the AADs of the frames begin, one behind the other. */
  readonly aadAt: number;
  readonly aadLength: number;
}

/** What a thread answers. */
export interface FrameReply {
  readonly id: number;
  /** The job's, to be used again: no plaintext is in it. */
  readonly buffer: ArrayBuffer;
  /**
   * In order: texts of frames, or pieces of what short frames give (sealed frames with heads and tags, or plaintext).
   * Undefined: a tag did not fit.
   */
  readonly outputs: readonly ArrayBuffer[] | undefined;
  /** Of sealed frames whose outputs are texts: the head and the tag of each, one behind the other. */
  readonly around: ArrayBuffer | undefined;
}

/** Takes the outcome of a job: the thread's answer, or why there will be none. */
type JobDone = (outcome: FrameReply | FengniError<"ERR_UNAVAILABLE">) => void;

/** The right to give one job to a thread. It is used or released, once. */
export interface Slot {
  run(job: Omit<FrameJob, "id">, done: JobDone): void;
  release(): void;
}

/** Jobs that a thread may have at a time: one that it works on, and one that waits, so that it never idles in between. */
export const JOBS_PER_WORKER = 2;
/** How long a thread stays without a job, in milliseconds. */
const IDLE_MS = 30_000;

/** Where the thread's program is: beside this file, in the sources and in each build. */
function workerFile(): string | URL {
  // In CommonJS there is no import.meta, in an ES module no __dirname.
  return typeof __dirname === "string"
    ? `${__dirname}/frame-worker.mjs`
    : new URL("./frame-worker.mjs", import.meta.url);
}

/** One thread, and the jobs it has. */
class PoolThread {
  readonly #worker: Worker;
  readonly #jobs = new Map<number, JobDone>();
  readonly #onEnd: (cause: unknown) => void;
  readonly #idleMs: number;
  #reserved = 0;
  #nextId = 1;
  #idle: NodeJS.Timeout | undefined;
  /** Its program has begun: the event `online` comes before that, and also where there is no program. */
  isReady = false;
  #isDead = false;

  constructor(file: string | URL, idleMs: number, onEnd: (cause: unknown) => void) {
    this.#onEnd = onEnd;
    this.#idleMs = idleMs;
    // Nothing that was asked of this process's own code (preloads, inspector, environment) goes into the thread.
    this.#worker = new Worker(file, { name: "fengni-frames", argv: [], env: {}, execArgv: [] });
    this.#worker.unref();
    this.#worker.on("message", (reply: FrameReply | "ready") => this.#answer(reply));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("messageerror", (error) => this.#end(error));
    this.#worker.on("exit", (code) => this.#end(new Error(`the thread ended with code ${code}`)));
  }

  /** Jobs that it has or that are about to come. */
  get load(): number {
    return this.#reserved + this.#jobs.size;
  }

  reserve(): Slot {
    clearTimeout(this.#idle);
    this.#reserved += 1;
    return {
      run: (job, done) => {
        this.#reserved -= 1;
        this.#run(job, done);
      },
      release: () => {
        this.#reserved -= 1;
        this.#rest();
      },
    };
  }

  stop(): void {
    void this.#worker.terminate();
  }

  #run(job: Omit<FrameJob, "id">, done: JobDone): void {
    if (this.#isDead) {
      queueMicrotask(() => done(threadEnded()));
      return;
    }
    const id = this.#nextId++;
    // Only while it has jobs does a thread keep the process alive.
    if (this.#jobs.size === 0) this.#worker.ref();
    this.#jobs.set(id, done);
    this.#worker.postMessage({ ...job, id }, [job.buffer]);
  }

  #answer(reply: FrameReply | "ready"): void {
    if (reply === "ready") {
      this.isReady = true;
      this.#rest();
      return;
    }
    const done = this.#jobs.get(reply.id);
    this.#jobs.delete(reply.id);
    if (this.#jobs.size === 0) this.#worker.unref();
    this.#rest();
    done?.(reply);
  }

  #rest(): void {
    if (this.load > 0 || this.#isDead) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#end(undefined), this.#idleMs).unref();
  }

  #end(cause: unknown): void {
    if (this.#isDead) return;
    this.#isDead = true;
    clearTimeout(this.#idle);
    this.stop();
    this.#onEnd(cause);
    const jobs = [...this.#jobs.values()];
    this.#jobs.clear();
    for (const done of jobs) done(threadEnded(cause));
  }
}

function threadEnded(cause?: unknown): FengniError<"ERR_UNAVAILABLE"> {
  return new FengniError("ERR_UNAVAILABLE", "a thread ended while it worked on this stream: run the stream again", {
    retryable: true,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** Threads that are shared by all streams of a process. */
export class FramePool {
  readonly #file: string | URL;
  readonly #idleMs: number;
  readonly #threads = new Set<PoolThread>();
  #hasWarned = false;
  #started = 0;
  #slots = 0;

  /**
   * @param file - what threads run: `frame-worker.mjs`
   * @param idleMs - how long a thread stays without a job, in milliseconds
   */
  constructor(file: string | URL = workerFile(), idleMs: number = IDLE_MS) {
    this.#file = file;
    this.#idleMs = idleMs;
  }

  /** Threads that are running or starting now. */
  get size(): number {
    return this.#threads.size;
  }

  /** Threads that were started since the process began. */
  get started(): number {
    return this.#started;
  }

  /** Slots that were given since then. */
  get slots(): number {
    return this.#slots;
  }

  /** Starts threads until there are `workers`; each takes jobs once it runs. Does not fail: without threads there is no slot. */
  start(workers: number): void {
    while (this.#threads.size < workers) {
      try {
        const thread: PoolThread = new PoolThread(this.#file, this.#idleMs, (cause) => {
          this.#threads.delete(thread);
          if (!thread.isReady) this.#warn(cause);
        });
        this.#threads.add(thread);
        this.#started += 1;
      } catch (cause) {
        this.#warn(cause);
        return;
      }
    }
  }

  /** A slot of the least busy of the first `workers` threads; undefined where each is busy or none runs. */
  reserve(workers: number): Slot | undefined {
    let best: PoolThread | undefined;
    let seen = 0;
    for (const thread of this.#threads) {
      if (seen++ >= workers) break;
      if (thread.isReady && thread.load < JOBS_PER_WORKER && thread.load < (best?.load ?? JOBS_PER_WORKER))
        best = thread;
    }
    if (best !== undefined) this.#slots += 1;
    return best?.reserve();
  }

  /** Kills every thread, as a lack of memory may: streams that use one fail with `ERR_UNAVAILABLE`. */
  stop(): void {
    for (const thread of this.#threads) thread.stop();
  }

  /** Says once why streams run on one thread although they were asked for more. */
  #warn(cause: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning("Parallel streams run on one thread, since none could be started.", {
      code: "FENGNI_ONE_THREAD",
      detail: `${String(cause)}. If this is a bundle, leave @fengni/core out of it or put its dist/frame-worker.mjs beside it.`,
    });
  }
}

/** The threads of this process. */
export const framePool: FramePool = new FramePool();
