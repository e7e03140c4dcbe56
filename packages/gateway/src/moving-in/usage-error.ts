/** The command line was wrong, or the file that it names is no file of a known server. Nothing is printed. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
