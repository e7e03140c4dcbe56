/** Reactions of a process to signals and uncaught errors. */
export interface SignalHandlers {
  /** SIGTERM or SIGINT: the process is to end. @param isAgain whether it is the second signal */
  end(signal: string, isAgain: boolean): void
  reload(): void
  /** After an uncaught exception the state of the process is undefined. */
  uncaught(error: unknown): void
}

/** Listens for signals. @returns a function that stops it */
export function onSignals(handlers: SignalHandlers): () => void {
  let isEnding = false
  function end(signal: string): void {
    const isAgain = isEnding
    isEnding = true
    handlers.end(signal, isAgain)
  }
  const listeners: [string, (value: unknown) => void][] = [
    ['SIGTERM', () => end('SIGTERM')],
    ['SIGINT', () => end('SIGINT')],
    ['SIGHUP', () => handlers.reload()],
    ['uncaughtException', error => handlers.uncaught(error)],
  ]
  for (const [name, listener] of listeners) process.on(name, listener)
  return () => {
    for (const [name, listener] of listeners) process.off(name, listener)
  }
}
