import { type FSWatcher, watch } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** How long it has to be quiet before files count as changed: editors and `git` write several. */
const QUIET = 100;
/** How often files are looked at where nothing is told: network drives, and links that are set to other files (Kubernetes). */
const LOOK = 5000;

/** Tells when something below a directory (or an archive) changes. Gives what ends that. */
export function watchDirectory(path: string, changed: () => Promise<void>): () => void {
  let [timer, stopped, running, again]: [NodeJS.Timeout | undefined, boolean, boolean, boolean] = [
    undefined,
    false,
    false,
    false,
  ];
  const tell = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    do {
      again = false;
      await changed();
    } while (again && !stopped);
    running = false;
  };
  let seen: string | undefined;
  let watcher: FSWatcher | undefined;
  /** What is told may be of files that are as they were: read, or touched by somebody's backup. */
  const look = async () => {
    const signature = await signatureOf(path);
    const isOther = seen !== undefined && signature !== seen;
    seen = signature;
    if (isOther && !stopped) {
      // What is watched may be a file or a directory that has been replaced.
      watcher?.close();
      watcher = watchOrNot(path, lookSoon);
      lookSoon();
      await tell();
    }
  };
  const lookSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void look(), QUIET);
  };
  const looking = setInterval(() => void look(), LOOK);
  looking.unref();
  void look();
  watcher = watchOrNot(path, lookSoon);
  return () => {
    stopped = true;
    clearTimeout(timer);
    clearInterval(looking);
    watcher?.close();
  };
}

/** Where the system cannot tell of changes, looking has to do. */
function watchOrNot(path: string, told: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, { recursive: true, persistent: false }, told);
    watcher.on("error", () => undefined);
    return watcher;
  } catch {
    return undefined;
  }
}

/** Names, sizes, times and inodes of all files. (A link may be set to a file of the same size, written in the same instant.) */
async function signatureOf(path: string): Promise<string> {
  const files: string[] = [];
  const seen = new Set<string>();
  const visit = async (place: string): Promise<void> => {
    const { id, signature, isDirectory } = await about(place);
    files.push(`${place}\0${signature}`);
    // Links may go round in circles.
    if (isDirectory && !seen.has(id)) {
      seen.add(id);
      const names = await readdir(place).catch(() => []);
      for (const name of names.sort()) {
        await visit(join(place, name));
      }
    }
  };
  await visit(path);
  return files.sort().join("\n");
}

async function about(place: string): Promise<{ id: string; signature: string; isDirectory: boolean }> {
  try {
    const stats = await stat(place);
    const id = `${stats.dev}:${stats.ino}`;
    const isDirectory = stats.isDirectory();
    // What is in a directory tells more than its own time.
    return { id, signature: isDirectory ? id : `${id}\0${stats.mtimeMs}\0${stats.size}`, isDirectory };
  } catch {
    return { id: "", signature: "", isDirectory: false };
  }
}
