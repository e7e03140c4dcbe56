/** The command line, or a file that it names, is wrong. The message is for the terminal. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
