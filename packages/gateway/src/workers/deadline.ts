/** What an orderly end may take beyond the time that the configuration gives it. */
const MARGIN_MS = 2_000

/** How long a gateway may take to end in good order, before it has to be ended. */
export function endingMs({ preStopMs, shutdownGraceMs }: Patience): number {
  return preStopMs + shutdownGraceMs + MARGIN_MS
}

interface Patience {
  readonly preStopMs: number
  readonly shutdownGraceMs: number
}

/**
 * Exits with 1 after `ms`, whatever is still waited for: what is wrong in a process that is broken cannot be known, and
 * a supervisor starts a new one only where the old one has exited.
 */
export function exitAfter(ms: number): void {
  setTimeout(() => process.exit(1), ms)
}
