/** Margin for a graceful shutdown beyond the configured time. */
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
 * Exits with 1 after `ms`, whatever is still pending. The state of a broken process is undefined, and
 * a supervisor starts a new one only after the old one has exited.
 */
export function exitAfter(ms: number): void {
  setTimeout(() => process.exit(1), ms)
}
