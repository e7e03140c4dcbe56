/** The end of the app: connections end with the responses that are still under way. */
export interface Closing {
  readonly isClosing: boolean
  responseEnded(): void
}
