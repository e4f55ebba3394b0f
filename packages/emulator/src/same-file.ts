// Whether two paths name one file, through links and before it is there. It must not know what the files are for.
import { readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";

const MAX_LINKS = 40;

/**
 * Whether two paths name the same file: by device and inode, or, while one is not there yet, by where it would be made. A log that
 * is appended to a file of keys or secrets destroys it.
 */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  const [first, second] = await Promise.all([identityOf(one), identityOf(other)]);
  if (first !== undefined && second !== undefined) return first === second;
  return (await placeOf(one)) === (await placeOf(other));
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

/** The path at which a file is, or would be made: links in it are followed, also one that points at nothing. */
async function placeOf(path: string, links = 0): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    const folder = await realpath(dirname(path)).catch(() => resolve(dirname(path)));
    const place = join(folder, basename(path));
    const target = await readlink(place).catch(() => undefined);
    return target === undefined || links === MAX_LINKS ? place : placeOf(resolve(folder, target), links + 1);
  }
}
