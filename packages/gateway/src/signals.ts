/** What a process is told from outside. */
export interface Told {
  /** Told to end. @param isAgain and was told before */
  end(signal: string, isAgain: boolean): void
  reload(): void
  /** What is wrong in this process cannot be known. */
  uncaught(error: unknown): void
}

/** Listens for signals. @returns what ends it */
export function onSignals(told: Told): () => void {
  let isEnding = false
  function end(signal: string): void {
    const isAgain = isEnding
    isEnding = true
    told.end(signal, isAgain)
  }
  const listeners: [string, (value: unknown) => void][] = [
    ['SIGTERM', () => end('SIGTERM')],
    ['SIGINT', () => end('SIGINT')],
    ['SIGHUP', () => told.reload()],
    ['uncaughtException', error => told.uncaught(error)],
  ]
  for (const [name, listener] of listeners) process.on(name, listener)
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener)
  }
}
