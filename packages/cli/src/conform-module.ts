// The module of a backend's author: found from the working directory, loaded, and its factory taken. Must not know the kit.
import { readFile, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ConformanceFactory } from "@fengni/testing";
import { CliError, systemFailure } from "./failure.js";

const EXPECTED = "export a function that makes a subject, as default or under the name factory";
/** What the exports of a package are chosen by, and `.`, its entry. */
const IMPORT_CONDITIONS: readonly string[] = [".", "node", "import", "module-sync", "default"];

/**
 * Loads a module and takes its factory.
 * @param name - a path, or the name of a package that the working directory can import
 * @throws `ERR_MODULE`
 */
export async function loadFactory(name: string): Promise<ConformanceFactory> {
  let exported: object;
  try {
    const path = (await isFile(name)) ? resolve(name) : await packageEntry(name);
    exported = (await import(pathToFileURL(path).href)) as object;
  } catch (error) {
    throw error instanceof CliError ? error : loadFailure(name, error);
  }
  const factory = factoryOf(exported);
  if (factory === undefined) throw moduleError(`${name} has no factory: ${EXPECTED}`);
  // What the module's own function does is its own fault, and is said so.
  return async () => {
    try {
      return await factory();
    } catch (error) {
      throw moduleError(`the factory of ${name} failed: ${errorText(error)}`, error);
    }
  };
}

/** @returns false for what can only be the name of a package */
async function isFile(name: string): Promise<boolean> {
  const isPath = /^(\.{0,2}[/\\]|[a-z]:[/\\])/i.test(name);
  try {
    const stats = await stat(name);
    if (stats.isDirectory() && isPath) throw moduleError(`cannot load ${name}: it is a directory; name a file in it`);
    return !stats.isDirectory();
  } catch (error) {
    if (error instanceof CliError) throw error;
    if (isPath) throw systemFailure("ERR_MODULE", `cannot load ${name}`, error);
    return false;
  }
}

/** What an import in the working directory would find. */
async function packageEntry(name: string): Promise<string> {
  const require = createRequire(join(process.cwd(), "conform.js"));
  try {
    return require.resolve(name);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ERR_PACKAGE_PATH_NOT_EXPORTED")) throw error;
    for (const folder of require.resolve.paths(name) ?? []) {
      const entry = await importedEntry(join(folder, name));
      if (entry !== undefined) return entry;
    }
    throw error;
  }
}

/** The entry of a package that can be imported only, which `require.resolve` does not find. */
async function importedEntry(folder: string): Promise<string | undefined> {
  const text = await readFile(join(folder, "package.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const { exports } = JSON.parse(text) as { readonly exports?: unknown };
  const entry = conditional(exports);
  return entry === undefined ? undefined : join(folder, entry);
}

function conditional(exports: unknown): string | undefined {
  if (typeof exports === "string") return exports;
  if (typeof exports !== "object" || exports === null) return undefined;
  for (const [condition, value] of Object.entries(exports)) {
    const found = IMPORT_CONDITIONS.includes(condition) ? conditional(value) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Says why a module did not load. */
export function loadFailure(name: string, error: unknown): CliError {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ERR_UNKNOWN_FILE_EXTENSION") {
    const advice = /\.[cm]?tsx?$/.test(name)
      ? "this Node.js does not load TypeScript: compile it, or load a loader with NODE_OPTIONS, as in NODE_OPTIONS='--import tsx'"
      : "name a module in JavaScript (.js, .mjs, .cjs)";
    return moduleError(`cannot load ${name}: ${advice}`, error);
  }
  // The code of the search alone: what the module itself does not find has another.
  if (code === "MODULE_NOT_FOUND" && errorText(error).includes(`'${name}'`)) {
    return moduleError(
      `cannot load ${name}: there is no such file, and no such package to be found from this folder`,
      error,
    );
  }
  return moduleError(`cannot load ${name}: ${errorText(error)}`, error);
}

/** A module of CommonJS that was compiled from another form has its default one level deeper. */
function factoryOf(exported: object): ConformanceFactory | undefined {
  const inner: unknown = Reflect.get(exported, "default");
  const places = typeof inner === "object" && inner !== null ? [exported, inner] : [exported];
  const found = places.flatMap((place) => [Reflect.get(place, "default"), Reflect.get(place, "factory")]);
  return found.find((value): value is ConformanceFactory => typeof value === "function");
}

function errorText(error: unknown): string {
  if (!(error instanceof Error)) return `a value of type ${typeof error} was thrown`;
  return `${error.name}: ${error.message}`.replace(/\s+/g, " ").trim();
}

function moduleError(message: string, cause?: unknown): CliError {
  return new CliError("ERR_MODULE", message, cause);
}
