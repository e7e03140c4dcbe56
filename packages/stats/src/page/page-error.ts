/** A request that the page refuses. Its message is shown. */
export class PageError extends Error {
  override readonly name = 'PageError'
  readonly statusCode: number

  constructor(statusCode: number, message: string) {
    super(message)
    this.statusCode = statusCode
  }

  static unknownBackend(): PageError {
    return new PageError(404, 'There is no such backend. It may have been removed.')
  }
}

/** The status and the message of a refused request; undefined for a defect. */
export function refusalOf(error: unknown): { statusCode: number; message: string } | undefined {
  if (!(error instanceof Error)) return undefined
  const { message } = error
  if ('code' in error && error.code === 'ERR_INVALID_OPTION') return { statusCode: 400, message }
  const statusCode = 'statusCode' in error ? error.statusCode : undefined
  const isRefusal = typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500
  return isRefusal ? { statusCode, message } : undefined
}
