/** Where a command is run. */
export interface Terminal {
  readonly out: (text: string) => void
  readonly error: (text: string) => void
}
