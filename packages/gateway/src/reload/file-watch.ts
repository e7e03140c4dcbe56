import { type FSWatcher, watch } from 'node:fs'
import { readFile, realpath, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/** From an event to a look, and from one look to the next: the files have to be the same in both. */
const LOOK_MS = 100
/** Between looks without an event. A network file system does not report the changes of another machine. */
const POLL_MS = 5_000
/** How long a file may be missing, as while it is replaced. */
const MISSING_MS = 2_000

/** The contents of files by their paths; undefined: the file cannot be read. */
type Contents = ReadonlyMap<string, string | undefined>

interface Watched {
  readonly watcher: FSWatcher
  readonly inode: number
}

export interface FileWatchOptions {
  /** The contents that are in use, by absolute paths. Read at each look. */
  readonly known: () => Contents
  /** Called when other contents were there for 100 ms, and from then on at each look until `known` has them. */
  readonly changed: () => void
  /** Called when a directory cannot be watched. Its files are looked at every 5 s. */
  readonly failed: (directory: string, error: unknown) => void
}

/**
 * Watches files by their contents. Not a file itself is watched, but its directories. So a change is seen whether the
 * file is written, is replaced by a rename, or is reached by a link that is swapped, as the `..data` of a Kubernetes volume.
 */
export class FileWatch {
  readonly #options: FileWatchOptions
  readonly #watched = new Map<string, Watched>()
  readonly #unwatchable = new Set<string>()
  readonly #poll: NodeJS.Timeout
  #timer: NodeJS.Timeout | undefined
  #seen = ''
  #seenAtMs = 0
  #isLooking = false
  #isClosed = false

  constructor(options: FileWatchOptions) {
    this.#options = options
    this.#poll = setInterval(() => void this.#look(), POLL_MS).unref()
    void this.#look()
  }

  close(): void {
    this.#isClosed = true
    clearInterval(this.#poll)
    clearTimeout(this.#timer)
    for (const { watcher } of this.#watched.values()) watcher.close()
  }

  /** A later event does not put the look off: a busy directory would do so for ever. */
  #soon(): void {
    if (this.#isClosed || this.#timer !== undefined) return
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      if (this.#isLooking) this.#soon()
      else void this.#look()
    }, LOOK_MS).unref()
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return
    this.#isLooking = true
    const known = this.#options.known()
    await this.#follow(known.keys())
    const now = new Map(
      await Promise.all(Array.from(known.keys(), async path => [path, await contentOf(path)] as const)),
    )
    this.#isLooking = false
    if (!this.#isClosed && known.entries().some(([path, text]) => now.get(path) !== text)) this.#consider(now)
  }

  /** A file may be in the middle of a change, so only contents that stay count. */
  #consider(now: Contents): void {
    const nowMs = performance.now()
    const seen = JSON.stringify([...now])
    if (seen !== this.#seen) {
      this.#seen = seen
      this.#seenAtMs = nowMs
      this.#soon()
    } else if (now.values().some(text => text === undefined) && nowMs - this.#seenAtMs < MISSING_MS) {
      this.#soon()
    } else {
      this.#options.changed()
    }
  }

  /** Watches the directories of the files and of their targets, and no others. */
  async #follow(paths: Iterable<string>): Promise<void> {
    const pairs = await Promise.all(
      Array.from(paths, async path => [path, await realpath(path).catch(() => path)]),
    )
    const directories = new Set(pairs.flat().map(path => dirname(path)))
    for (const [directory, { watcher, inode }] of this.#watched) {
      // A directory of the same name in its place is another.
      if (directories.has(directory) && (await inodeOf(directory)) === inode) continue
      watcher.close()
      this.#watched.delete(directory)
    }
    for (const directory of directories) {
      const inode = this.#watched.has(directory) ? undefined : await inodeOf(directory)
      if (inode !== undefined && !this.#isClosed) this.#watch(directory, inode)
    }
  }

  #watch(directory: string, inode: number): void {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#soon())
      watcher.on('error', error => this.#fail(directory, error))
      this.#watched.set(directory, { watcher, inode })
    } catch (error) {
      this.#fail(directory, error)
    }
  }

  /** Told once: the next look tries again. */
  #fail(directory: string, error: unknown): void {
    if (this.#unwatchable.has(directory)) return
    this.#unwatchable.add(directory)
    this.#options.failed(directory, error)
  }
}

async function contentOf(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}

async function inodeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  )
}
